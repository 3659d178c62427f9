//! An array of jobs: a list of job folders and a script, and the arguments that submit it.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    error::Result,
    files::text::shell_word,
    plan::device::{CPU, class_of},
    request::{executor::SlurmOptions, limits::Limits},
};

/// What the names of lists and scripts begin with.
const PREFIX: &str = "array-";
/// Ending of a list.
const LIST: &str = "list";
/// Ending of a script.
const SCRIPT: &str = "sh";
/// Longest list in bytes.
const LIST_LIMIT: u64 = 8 << 20;
/// Memory of the process that starts and watches a worker, in MiB.
const WATCHER_MIB: u64 = 256;
/// Time for all that a worker's limit does not count: the start, the wait for processors, the end.
const MARGIN: Duration = Duration::from_mins(5);

/// What a job asks Slurm for. The jobs of an array ask for the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Resources {
    threads: usize,
    memory: u64,
    wall: Duration,
    card: bool,
}

impl Resources {
    /// What a worker on `device` needs under `limits`.
    pub(super) fn of(limits: &Limits, device: &str) -> Self {
        let card = device != CPU && device.contains(':') && class_of(device).ends_with("cuda");
        Self { threads: limits.threads, memory: limits.memory, wall: limits.wall, card }
    }

    /// The options of `sbatch`, those of the user among them, without those that identify the array.
    fn options(self, options: &SlurmOptions) -> Vec<String> {
        let minutes = (self.wall + MARGIN).as_secs().div_ceil(60);
        let memory = self.memory.div_ceil(1 << 20) + WATCHER_MIB;
        let partition = if self.card { options.gpu_partition.as_ref() } else { None };
        let partition = partition.or(options.partition.as_ref());
        let mut all = vec![
            "--nodes=1".to_owned(),
            "--ntasks=1".to_owned(),
            format!("--cpus-per-task={}", self.threads),
            format!("--mem={memory}M"),
            format!("--time={minutes}"),
        ];
        all.extend(partition.map(|partition| format!("--partition={partition}")));
        all.extend(self.card.then(|| format!("--gres={}", options.gres)));
        all.extend(options.sbatch.iter().cloned());
        all
    }
}

/// A list of job folders and the script that runs one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Array {
    folder: PathBuf,
    /// The name of its files without their endings.
    pub(super) name: String,
}

impl Array {
    /// Writes the list of `jobs`, names of folders in `folder`, and the script.
    ///
    /// # Errors
    /// The files cannot be written.
    pub(super) fn write(folder: &Path, jobs: &[String], program: &Path) -> Result<Self> {
        let named =
            tempfile::Builder::new().prefix(PREFIX).suffix(&format!(".{SCRIPT}")).tempfile_in(folder)?;
        let (_, script) = named.keep().map_err(|error| error.error)?;
        let name = script.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let array = Self { folder: folder.to_owned(), name };
        let here = shell_word(folder);
        let (list, program) = (shell_word(&array.list()), shell_word(program));
        let text = format!(
            "#!/bin/sh\n# Made by molarena: runs one job of the list beside this file.\n\
             job=$(sed -n \"$((${{SLURM_ARRAY_TASK_ID:-0}} + 1))p\" {list}) || exit\n\
             exec {program} step {here}/\"$job\" >{here}/\"$job/log\" 2>&1\n"
        );
        fs_err::write(&script, text)?;
        // A folder is in a list before anybody can run it.
        let unfinished = array.list().with_extension("new");
        fs_err::write(&unfinished, jobs.join("\n") + "\n")?;
        fs_err::rename(unfinished, array.list())?;
        Ok(array)
    }

    /// The arrays whose lists are in `folder`.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub(super) fn all_in(folder: &Path) -> Result<Vec<Self>> {
        let mut found = Vec::new();
        for entry in fs_err::read_dir(folder)? {
            let path = entry?.path();
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            if name.starts_with(PREFIX) && path.extension().is_some_and(|extension| extension == LIST) {
                found.push(Self { folder: folder.to_owned(), name });
            }
        }
        Ok(found)
    }

    fn list(&self) -> PathBuf {
        self.folder.join(format!("{}.{LIST}", self.name))
    }

    fn script(&self) -> PathBuf {
        self.folder.join(format!("{}.{SCRIPT}", self.name))
    }

    /// The job folders of the list, in its order.
    ///
    /// # Errors
    /// The list cannot be read.
    pub(super) fn jobs(&self) -> Result<Vec<PathBuf>> {
        let bytes = crate::files::plain::read_plain(&self.list(), LIST_LIMIT)?;
        let text = String::from_utf8_lossy(&bytes);
        Ok(text.lines().map(|job| self.folder.join(job)).collect())
    }

    /// Removes the list and the script.
    ///
    /// # Errors
    /// They cannot be removed.
    pub(super) fn remove(&self) -> Result<()> {
        for path in [self.list(), self.script()] {
            match fs_err::remove_file(path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
        Ok(())
    }

    /// The arguments of `sbatch` for an array of `count` jobs called `name`.
    pub(super) fn arguments(
        &self,
        count: usize,
        name: &str,
        resources: Resources,
        options: &SlurmOptions,
    ) -> Vec<String> {
        let mut all = resources.options(options);
        // The last option counts: these are not the user's to change.
        all.extend(["--parsable".to_owned(), "--no-requeue".to_owned(), format!("--job-name={name}")]);
        all.extend([format!("--chdir={}", self.folder.display()), "--output=/dev/null".to_owned()]);
        if count > 1 {
            all.push(format!("--array=0-{}", count - 1));
        }
        all.push(self.script().display().to_string());
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_become_options() {
        let options = SlurmOptions {
            partition: Some("cpu".into()),
            gpu_partition: Some("gpu".into()),
            sbatch: vec!["--account=chem".into()],
            ..SlurmOptions::default()
        };
        let limits =
            Limits { wall: Duration::from_mins(10), memory: (1 << 30) + 1, threads: 4, ..Limits::default() };
        let of = |device: &str| Resources::of(&limits, device).options(&options).join(" ");
        let common = "--nodes=1 --ntasks=1 --cpus-per-task=4 --mem=1281M --time=15";
        assert_eq!(of("cpu"), format!("{common} --partition=cpu --account=chem"));
        assert_eq!(of("libtorch"), of("cpu"));
        let card = format!("{common} --partition=gpu --gres=gpu:1 --account=chem");
        assert_eq!((of("cuda:0"), of("libtorch-cuda:1")), (card.clone(), card));
        let alone = SlurmOptions { gpu_partition: None, ..options };
        assert!(Resources::of(&limits, "cuda:0").options(&alone).contains(&"--partition=cpu".to_owned()));
    }

    #[test]
    fn a_list_and_its_script() {
        let folder = tempfile::Builder::new().prefix("it's a ").tempdir().unwrap();
        let jobs = ["one".to_owned(), "two".to_owned()];
        let array = Array::write(folder.path(), &jobs, Path::new("/bin/echo")).unwrap();
        assert_eq!(Array::all_in(folder.path()).unwrap(), std::slice::from_ref(&array));
        assert_eq!(array.jobs().unwrap(), [folder.path().join("one"), folder.path().join("two")]);
        fs_err::create_dir(folder.path().join("two")).unwrap();
        let run =
            std::process::Command::new("sh").arg(array.script()).env("SLURM_ARRAY_TASK_ID", "1").status();
        assert!(run.unwrap().success());
        let log = fs_err::read_to_string(folder.path().join("two/log")).unwrap();
        assert_eq!(log, format!("step {}/two\n", folder.path().display()));
        let limits = Limits::default();
        let arguments =
            |count| array.arguments(count, "m", Resources::of(&limits, "cpu"), &SlurmOptions::default());
        assert!(arguments(2).contains(&"--array=0-1".to_owned()));
        assert!(!arguments(1).iter().any(|argument| argument.starts_with("--array")));
        array.remove().unwrap();
        assert_eq!(Array::all_in(folder.path()).unwrap(), []);
    }
}
