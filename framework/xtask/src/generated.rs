//! Generated files that are committed: writes them, or compares them with the committed ones.

use std::path::Path;

use crate::{Error, Result, root};

/// Whether a generated file is written or compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Write the file.
    Write,
    /// Fail where the committed file differs.
    Check,
}

/// Writes `text` to `path` (relative to the root), or compares the two; `command` is the one that writes it.
pub(crate) fn update(path: &str, text: &str, mode: Mode, command: &'static str) -> Result<()> {
    let file = root().join(path);
    match mode {
        Mode::Write => {
            fs_err::create_dir_all(file.parent().expect("a generated file lies in a folder"))?;
            fs_err::write(&file, text)?;
            println!("wrote {path}");
            Ok(())
        }
        Mode::Check => {
            let committed = if file.exists() { fs_err::read_to_string(&file)? } else { String::new() };
            match first_difference(&committed, text) {
                None => Ok(()),
                Some(difference) => {
                    Err(Error::Drift { path: Path::new(path).to_path_buf(), difference, command })
                }
            }
        }
    }
}

/// Where `committed` first differs from `fresh`, for people; `None` when they are equal.
fn first_difference(committed: &str, fresh: &str) -> Option<String> {
    if committed == fresh {
        return None;
    }
    let (mut old, mut new) = (committed.lines(), fresh.lines());
    for line in 1.. {
        match (old.next(), new.next()) {
            (None, None) => return Some("in its line ends".into()),
            (old, new) if old != new => {
                let show = |line: Option<&str>| line.unwrap_or("(the file ends)").to_owned();
                return Some(format!("first at line {line}:\n    - {}\n    + {}", show(old), show(new)));
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::first_difference;

    #[test]
    fn the_first_line_that_differs_is_named() {
        assert_eq!(first_difference("a\nb\n", "a\nb\n"), None);
        assert_eq!(first_difference("a\nb\n", "a\nc\n").unwrap(), "first at line 2:\n    - b\n    + c");
        assert_eq!(
            first_difference("a\n", "a\nc\n").unwrap(),
            "first at line 2:\n    - (the file ends)\n    + c"
        );
        assert_eq!(first_difference("a", "a\n").unwrap(), "in its line ends");
    }
}
