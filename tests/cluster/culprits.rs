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
    assert!(
        message.contains("CrashLoopBackOff") && message.contains("the container's last line"),
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

#[test]
fn what_is_waited_for_is_told_with_its_culprits_while_it_lasts() -> Result<()> {
    let space = Stage::shared().namespace("waiting")?;
    space.apply(&space.release("shop", "timeout: 10m\nvalues: {outcome: fail}"))?;
    let release = space.until("hr/shop", |release| {
        release["status"]["waiting"][0]["reason"] == "CrashLoopBackOff"
    })?;
    let waiting = &release["status"]["waiting"][0];
    assert_eq!(waiting["kind"], "Deployment");
    let message = waiting["message"].as_str().unwrap_or_default();
    assert!(
        message.contains("Pod shop-") && message.contains("container web"),
        "{message}"
    );
    // A log is for the one who asks why it failed.
    assert!(!message.contains("last line"), "{message}");
    space.apply(&space.release("shop", "timeout: 10m"))?;
    let release = space.ready("shop")?;
    assert_eq!(release["status"]["waiting"], serde_json::json!([]));
    Ok(())
}

/// The notes of the events about a HelmRelease that tell what hooks printed, with their types.
fn printed(space: &crate::stage::Space) -> Result<Vec<(String, String)>> {
    let field = "reason=HookPrinted";
    let text = space.kubectl(&["get", "events", "--field-selector", field, "-o", "json"])?;
    let events: serde_json::Value = serde_json::from_str(&text)?;
    let word = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let events = events["items"].as_array();
    Ok(events
        .into_iter()
        .flatten()
        .map(|event| (word(&event["type"]), word(&event["message"])))
        .collect())
}

#[test]
fn a_hook_that_asks_for_it_has_told_what_it_printed() -> Result<()> {
    let stage = Stage::shared();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/parity/charts/anything");
    stage.publish(folder.as_ref(), "1.0.0")?;
    let space = stage.namespace("hook-logs")?;
    let hook = |name: &str, more: &str| format!("{{name: {name}, at: pre-install, {more}}}");
    let all = "policy: 'hook-succeeded,hook-failed'";
    let hooks = [
        hook(
            "job",
            &format!("kind: Job, weight: 1, log: hook-succeeded, {all}"),
        ),
        hook("silent", "weight: 2, log: hook-failed"),
        hook("other", "weight: 3, kind: ConfigMap, log: hook-succeeded"),
    ];
    let spec = |hooks: &str| {
        format!("name: anything\nretries: 0\natomic: false\nvalues: {{hooks: [{hooks}]}}")
    };
    space.apply(&space.release("fine", &spec(&hooks.join(", "))))?;
    space.ready("fine")?;
    let told = printed(&space)?;
    let [(kind, note)] = &told[..] else {
        panic!("{told:?}");
    };
    assert_eq!(kind, "Normal");
    assert!(
        note.contains("Job fine-job") && note.contains("the container's last line"),
        "{note}"
    );

    let failing = format!("outcome: fail, weight: 2, log: 'hook-failed,hook-succeeded', {all}");
    let hooks = [
        hook("first", "weight: 1, log: hook-succeeded"),
        hook("pod", &failing),
    ];
    space.apply(&space.release("fails", &spec(&hooks.join(", "))))?;
    let release = space.failed("fails", "RetriesExceeded")?;
    let message = space.message(&release, "Stalled");
    assert!(message.contains("the container's last line"), "{message}");
    let told = printed(&space)?;
    let warnings: Vec<&String> = told
        .iter()
        .filter(|it| it.0 == "Warning")
        .map(|it| &it.1)
        .collect();
    let [note] = &warnings[..] else {
        panic!("{told:?}");
    };
    assert!(note.contains("Pod fails-pod"), "{note}");
    assert_eq!(told.len(), 2, "{told:?}");
    Ok(())
}
