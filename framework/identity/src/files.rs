//! The files of a package.

use std::path::Path;

use crate::error::Result;

/// A file's path within its package, with `/`, and its bytes with line ends as `\n`.
pub(crate) type SourceFile = (String, Vec<u8>);

/// `build.rs` and all files below `src`, sorted by path. Hidden files do not count as the package's: editors
/// and tools leave them.
pub(crate) fn of_package(folder: &Path) -> Result<Vec<SourceFile>> {
    let mut files = Vec::new();
    let build = folder.join("build.rs");
    if build.exists() {
        files.push(("build.rs".to_owned(), text(&build)?));
    }
    collect(&folder.join("src"), "src", &mut files)?;
    files.sort();
    Ok(files)
}

fn collect(folder: &Path, name: &str, files: &mut Vec<SourceFile>) -> Result<()> {
    for entry in fs_err::read_dir(folder)? {
        let entry = entry?;
        let (path, file) = (entry.path(), entry.file_name());
        let file = file.to_string_lossy();
        if file.starts_with('.') {
            continue;
        }
        let name = format!("{name}/{file}");
        if path.is_dir() { collect(&path, &name, files)? } else { files.push((name, text(&path)?)) }
    }
    Ok(())
}

fn text(path: &Path) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    for line in fs_err::read(path)?.split_inclusive(|&byte| byte == b'\n') {
        match line.strip_suffix(b"\r\n") {
            Some(line) => text.extend_from_slice(&[line, b"\n"].concat()),
            None => text.extend_from_slice(line),
        }
    }
    Ok(text)
}
