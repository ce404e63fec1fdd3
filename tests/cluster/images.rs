//! Images whose names do not say which bytes run.

use anyhow::Result;

use crate::stage::Stage;

#[test]
fn floating_images_are_told_or_refused_as_the_release_or_its_namespace_says() -> Result<()> {
    let space = Stage::shared().namespace("floating")?;
    space.apply(&space.release(
        "warned",
        "images: {floatingTags: Warn}\nvalues: {image: nginx}",
    ))?;
    space.ready("warned")?;
    space.until("events", |events| {
        let told = "Deployment warned runs \"nginx\", which has no fixed tag";
        events.to_string().contains("FloatingImages")
            && events.to_string().contains(&told.replace('"', "\\\""))
    })?;

    space.kubectl(&[
        "annotate",
        "namespace",
        "floating",
        "images.pintle.dev/floatingTags=Deny",
    ])?;
    space.apply(&space.release("denied", "values: {image: nginx}"))?;
    let release = space.failed("denied", "ImagesDenied")?;
    let message = space.message(&release, "Ready");
    assert!(
        message.contains("Deployment denied runs \"nginx\", which has no fixed tag"),
        "{message}"
    );
    assert!(space.get("deploy/denied")?.is_null());
    assert_eq!(
        release["status"]["history"].as_array().map_or(0, Vec::len),
        0
    );
    // A HelmRelease that says otherwise is believed.
    space.apply(&space.release(
        "denied",
        "images: {floatingTags: Allow}\nvalues: {image: nginx}",
    ))?;
    space.ready("denied")?;
    space.apply(&space.release("digest", "images: {requireDigest: true}"))?;
    let release = space.failed("digest", "ImagesDenied")?;
    assert!(
        space
            .message(&release, "Ready")
            .contains("which has no digest")
    );
    Ok(())
}
