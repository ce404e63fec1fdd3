//! A failure names its culprit: the container, the Warning events.

use anyhow::Result;

use crate::stage::Stage;

#[test]
fn a_release_that_is_not_ready_in_time_tells_of_pods_and_events() -> Result<()> {
    let space = Stage::shared().namespace("culprits")?;
    space.apply(&space.release(
        "shop",
        "timeout: 5s\nretries: 0\natomic: false\nvalues: {outcome: fail}",
    ))?;
    let release = space.failed("shop", "RetriesExceeded")?;
    let message = space.message(&release, "Stalled");
    assert!(
        message.contains("Deployment shop") && message.contains("Pod shop-"),
        "{message}"
    );
    // Nothing runs these pods, so an event is told of by hand.
    let pods = space.kubectl(&["get", "pods", "-o", "name"])?;
    let pod = pods.trim().trim_start_matches("pod/").to_owned();
    space.apply(&format!(
        "apiVersion: v1\nkind: Event\nmetadata: {{name: told, namespace: culprits}}\ntype: Warning\nreason: BackOff\nmessage: back-off pulling the image\ninvolvedObject: {{kind: Pod, name: {pod}, namespace: culprits}}\n"
    ))?;
    space.apply(&space.release(
        "shop",
        "timeout: 6s\nretries: 0\natomic: false\nvalues: {outcome: fail, greeting: again}",
    ))?;
    let release = space.until("hr/shop", |release| {
        let message = space.message(release, "Stalled");
        message.contains("revision 2")
    })?;
    let message = space.message(&release, "Stalled");
    assert!(message.contains("back-off pulling the image"), "{message}");
    // Helm's record says what failed, and no more.
    let history = space.helm(&["history", "shop"])?;
    assert!(!history.contains("back-off"), "{history}");
    Ok(())
}
