//! What memory this process takes, as the kernel says, in KiB.

use anyhow::{Context, Result};

/// The peak is counted anew from now.
pub(crate) fn reset_peak() -> Result<()> {
    std::fs::write("/proc/self/clear_refs", "5").context("reset the peak")
}

/// The peak resident size since.
pub(crate) fn peak() -> Result<u64> {
    status("VmHWM:")
}

/// The resident size now.
pub(crate) fn resident() -> Result<u64> {
    status("VmRSS:")
}

fn status(name: &str) -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kib = line.and_then(|line| line.trim().strip_suffix("kB"));
    let kib = kib.with_context(|| format!("no {name} in /proc/self/status"))?;
    Ok(kib.trim().parse()?)
}
