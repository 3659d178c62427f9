//! The methods that can be named in a selection.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use include_dir::{Dir, include_dir};

use crate::{
    error::{Error, Result},
    files::plain::open_stored,
    request::{document, method::Method},
};

/// Smallest Jaro-Winkler similarity of a suggestion; 1 is equality.
const SIMILAR: f64 = 0.8;
/// Most suggestions for a name that is not known.
const SUGGESTIONS: usize = 5;

static BUILTIN: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../leaderboards/methods");

/// Methods by name: the built-in ones and those of a folder, which take precedence.
#[derive(Clone, Debug)]
pub struct Methods {
    /// Sorted by name but for those that were inserted.
    methods: Vec<Method>,
    /// What their files say, by name.
    texts: BTreeMap<String, String>,
}

impl Methods {
    /// The built-in methods, and the `.toml` files of `folder`.
    pub fn load(folder: Option<&Path>) -> Result<Self> {
        let mut this = Self { methods: Vec::new(), texts: BTreeMap::new() };
        for file in BUILTIN.files().filter(|file| is_toml(file.path())) {
            let text = file.contents_utf8().expect("built-in methods are text");
            this.add(text, &Path::new("leaderboards/methods").join(file.path()))?;
        }
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
                this.add(&document::read_from(file, &path)?, &path)?;
            }
        }
        this.methods.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(this)
    }

    fn add(&mut self, text: &str, path: &Path) -> Result<()> {
        let method = Method::parse(text, path)?;
        self.texts.insert(method.name.clone(), text.to_owned());
        self.insert(method);
        Ok(())
    }

    /// Adds a method; one of the same name gives way.
    pub fn insert(&mut self, method: Method) {
        self.methods.retain(|known| known.name != method.name);
        self.methods.push(method);
    }

    /// The method called `name`, or the one in the file `name` if that ends in `.toml`. Relative paths start at `base`.
    pub fn get(&self, name: &str, base: &Path) -> Result<Method> {
        if is_toml(Path::new(name)) {
            let path = base.join(name);
            let text = document::read(&path)?;
            return Method::parse(&text, &path);
        }
        self.methods.iter().find(|method| method.name == name).cloned().ok_or_else(|| self.unknown(name))
    }

    /// What the file of a method says.
    ///
    /// # Errors
    /// [`Error::UnknownMethod`].
    pub fn text(&self, name: &str) -> Result<&str> {
        self.texts.get(name).map(String::as_str).ok_or_else(|| self.unknown(name))
    }

    fn unknown(&self, name: &str) -> Error {
        let scored =
            self.methods.iter().map(|method| (strsim::jaro_winkler(name, &method.name), &method.name));
        let mut similar: Vec<_> = scored.filter(|(similarity, _)| *similarity >= SIMILAR).collect();
        similar.sort_by(|(one, _), (other, _)| other.total_cmp(one));
        let similar: Vec<String> =
            similar.iter().take(SUGGESTIONS).map(|(_, known)| format!("`{known}`")).collect();
        let similar =
            if similar.is_empty() { String::new() } else { format!(" (similar: {})", similar.join(", ")) };
        Error::UnknownMethod { name: name.into(), similar }
    }

    /// All methods, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = &Method> {
        self.methods.iter()
    }
}

pub(crate) fn is_toml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "toml")
}
