//! The function's code package: a zip with one file, `bootstrap`, that runs this program.
//!
//! The same bytes every time, so that an unchanged function is seen to be unchanged. On AWS the
//! package also needs the program itself; the local cloud knows this one by its bootstrap and runs
//! the program that serves it.

/// What Lambda's custom runtimes start.
pub const BOOTSTRAP: &str = "#!/bin/sh\nexec ward lambda\n";

/// The package, a zip whose one entry is stored as it is.
pub fn package() -> Vec<u8> {
    entry("bootstrap", BOOTSTRAP.as_bytes())
}

/// 1980-01-01, the earliest date a zip can tell.
const DATE: u16 = 0x21;
/// Made on Unix, so that the mode counts.
const MADE_BY: u16 = (3 << 8) | 20;
const MODE: u32 = 0o100_755 << 16;

fn entry(name: &str, body: &[u8]) -> Vec<u8> {
    // Version needed, flags, method (stored), time, date.
    let mut common = Vec::new();
    for field in [20, 0, 0, 0, DATE] {
        common.extend(u16::to_le_bytes(field));
    }
    let length = body.len() as u32;
    for field in [crc32fast::hash(body), length, length] {
        common.extend(field.to_le_bytes());
    }
    common.extend((name.len() as u16).to_le_bytes());
    common.extend(0_u16.to_le_bytes());

    let mut zip = b"PK\x03\x04".to_vec();
    zip.extend(&common);
    zip.extend(name.as_bytes());
    zip.extend(body);

    let directory = zip.len() as u32;
    zip.extend(b"PK\x01\x02");
    zip.extend(MADE_BY.to_le_bytes());
    zip.extend(&common);
    // No comment, first disk, no internal attributes.
    zip.extend([0; 6]);
    zip.extend(MODE.to_le_bytes());
    zip.extend(0_u32.to_le_bytes());
    zip.extend(name.as_bytes());
    let size = zip.len() as u32 - directory;

    zip.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
    zip.extend(size.to_le_bytes());
    zip.extend(directory.to_le_bytes());
    zip.extend([0; 2]);
    zip
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "local")]
    #[test]
    fn a_zip_reader_finds_the_executable_bootstrap() {
        use std::io::Read;
        let mut archive = zip::ZipArchive::new(std::io::Cursor::new(package())).unwrap();
        assert_eq!(archive.len(), 1);
        let mut file = archive.by_name("bootstrap").unwrap();
        assert_eq!(file.unix_mode(), Some(0o100_755));
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        assert_eq!(text, "#!/bin/sh\nexec ward lambda\n");
    }

    #[test]
    fn the_same_bytes_every_time() {
        assert_eq!(package(), package());
    }
}
