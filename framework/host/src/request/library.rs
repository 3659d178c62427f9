//! The methods that can be named in a selection.

use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};

use crate::{
    error::{Error, Result},
    files::plain::open_stored,
    request::{document, method::Method},
};

static BUILTIN: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../leaderboards/methods");

/// Methods by name: the built-in ones and those of a folder, which take precedence.
#[derive(Clone, Debug)]
pub struct Methods(Vec<Method>);

impl Methods {
    /// The built-in methods, and the `.toml` files of `folder`.
    pub fn load(folder: Option<&Path>) -> Result<Self> {
        let mut methods = Vec::new();
        for file in BUILTIN.files().filter(|file| is_toml(file.path())) {
            let text = file.contents_utf8().expect("built-in methods are text");
            methods.push(Method::parse(text, &Path::new("leaderboards/methods").join(file.path()))?);
        }
        let mut this = Self(methods);
        if let Some(folder) = folder {
            let entries = fs_err::read_dir(folder).map_err(|error| Error::Request(error.to_string()))?;
            let mut paths: Vec<PathBuf> =
                entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
            paths.retain(|path| is_toml(path));
            paths.sort();
            for path in paths {
                // Nobody named this file, so a FIFO is not waited for.
                let file = open_stored(&path).map_err(|error| match error {
                    Error::Store { message, .. } => Error::Document { path: path.clone(), message },
                    error => error,
                })?;
                this.insert(Method::parse(&document::read_from(file, &path)?, &path)?);
            }
        }
        this.0.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(this)
    }

    /// Adds a method; one of the same name gives way.
    pub fn insert(&mut self, method: Method) {
        self.0.retain(|known| known.name != method.name);
        self.0.push(method);
    }

    /// The method called `name`, or the one in the file `name` if that ends in `.toml`. Relative paths start at `base`.
    pub fn get(&self, name: &str, base: &Path) -> Result<Method> {
        if is_toml(Path::new(name)) {
            let path = base.join(name);
            let text = document::read(&path)?;
            return Method::parse(&text, &path);
        }
        self.0.iter().find(|method| method.name == name).cloned().ok_or_else(|| Error::UnknownMethod {
            name: name.into(),
            known: self.0.iter().map(|method| method.name.as_str()).collect::<Vec<_>>().join(", "),
        })
    }

    /// All methods, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = &Method> {
        self.0.iter()
    }
}

pub(crate) fn is_toml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "toml")
}
