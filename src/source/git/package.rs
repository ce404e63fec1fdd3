//! A packaged chart from files, the same on every machine and in every version of this program.
//!
//! In: files. Out: a `.tgz`. Never: a time, an owner or a permission of this machine; a byte that
//! hangs on how well somebody compresses, because the digest is compared with recorded ones.

use std::io;

use flate2::Crc;

use crate::chart::File;

/// Bytes of one block that is not compressed.
// RFC 1951, 3.2.4
const BLOCK: usize = 0xffff;

/// Packs the files below one folder. `time` is in seconds since 1970.
// helm: pkg/chart/v2/util/save.go writeToTar
pub(super) fn package(folder: &str, files: &[File], time: u64) -> io::Result<Vec<u8>> {
    let mut tar = tar::Builder::new(Vec::new());
    for file in files {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Regular);
        header.set_size(file.data.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(time);
        header.set_uid(0);
        header.set_gid(0);
        let path = format!("{folder}/{}", file.name);
        tar.append_data(&mut header, path, &*file.data)?;
    }
    Ok(gzip(&tar.into_inner()?))
}

/// The bytes as they are, in the form that gzip reads.
// RFC 1952, 2.3 and RFC 1951, 3.2.4
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut whole = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    let mut blocks = bytes.chunks(BLOCK).peekable();
    while let Some(block) = blocks.next() {
        whole.push(u8::from(blocks.peek().is_none()));
        let length = block.len() as u16;
        whole.extend(length.to_le_bytes());
        whole.extend((!length).to_le_bytes());
        whole.extend_from_slice(block);
    }
    let mut sum = Crc::new();
    sum.update(bytes);
    whole.extend(sum.sum().to_le_bytes());
    whole.extend(sum.amount().to_le_bytes());
    whole
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;

    use super::*;
    use crate::chart::Chart;
    use crate::source::Digest;

    #[test]
    fn a_package_is_read_as_it_was_and_never_changes() {
        let file = |name: &str, data: &[u8]| File {
            name: name.to_owned(),
            data: Arc::from(data),
            modified: None,
        };
        let long = format!("files/{}/{}", "a".repeat(120), "b".repeat(180));
        let files = [
            file(
                "Chart.yaml",
                b"apiVersion: v2\nname: shop\nversion: 1.2.3\n",
            ),
            file("empty", b""),
            file(&long, &vec![7; 3 * BLOCK]),
        ];
        let packed = package("shop", &files, 1_600_000_000).unwrap();
        let chart = Chart::load(&packed).unwrap();
        let read: Vec<_> = chart
            .files
            .iter()
            .map(|file| (&*file.name, file.data.len()))
            .collect();
        assert_eq!(read, [("empty", 0), (&*long, 3 * BLOCK)]);
        let digest = "sha256:b79db41539be1c435c1e6ffe53d1aa66575d2a0f33e2644b709c73972ded267d";
        assert_eq!(Digest::of(&packed).to_string(), digest);
    }
}
