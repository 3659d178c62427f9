//! Where steps run: the table `[executor]` of a suite.

use std::{path::PathBuf, time::Duration};

use serde::Deserialize;

use crate::request::limits::{MAX_THREADS, duration};

/// Options of `sbatch` that decide how jobs are submitted and found again.
const RESERVED: [&str; 9] =
    ["--array", "-a", "--parsable", "--requeue", "--test-only", "--wait", "-W", "--wrap", "--job-name"];

/// Where the steps of a suite run.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum ExecutorTable {
    /// On this machine.
    Local {},
    /// As jobs of Slurm.
    Slurm(SlurmOptions),
}

impl ExecutorTable {
    /// Checks the values.
    ///
    /// # Errors
    /// The key at fault and what to write.
    pub(crate) fn check(&self) -> Result<(), String> {
        match self {
            Self::Local {} => Ok(()),
            Self::Slurm(options) => options.check().map_err(|message| format!("executor.{message}")),
        }
    }
}

/// How steps are submitted to Slurm.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SlurmOptions {
    /// Partitions of all jobs, with commas between; without it, the cluster's default.
    pub partition: Option<String>,
    /// Partitions of jobs whose device is a card; without it, `partition`.
    pub gpu_partition: Option<String>,
    /// The generic resource that a job on a card asks for.
    pub gres: String,
    /// Further options of `sbatch`, one word each.
    pub sbatch: Vec<String>,
    /// Most jobs in the queue at a time.
    pub max_jobs: usize,
    /// How often a step is submitted again after its node was lost.
    pub retries: usize,
    /// Time between two questions to the controller.
    #[serde(deserialize_with = "duration")]
    pub poll: Duration,
    /// How long the controller may give no answer before the run ends.
    #[serde(deserialize_with = "duration")]
    pub patience: Duration,
    /// How long a file that a node wrote may take to be seen here.
    #[serde(deserialize_with = "duration")]
    pub file_delay: Duration,
    /// The molarena binary on the nodes; without it, the path of this one.
    pub program: Option<PathBuf>,
}

impl Default for SlurmOptions {
    fn default() -> Self {
        Self {
            partition: None,
            gpu_partition: None,
            gres: "gpu:1".into(),
            sbatch: Vec::new(),
            max_jobs: 256,
            retries: 2,
            poll: Duration::from_secs(10),
            patience: Duration::from_hours(1),
            file_delay: Duration::from_mins(1),
            program: None,
        }
    }
}

impl SlurmOptions {
    /// Checks the values.
    ///
    /// # Errors
    /// The key at fault and what to write.
    pub fn check(&self) -> Result<(), String> {
        if !(1..=MAX_THREADS).contains(&self.max_jobs) {
            return Err(format!("max_jobs is {}, must be from 1 to {MAX_THREADS}", self.max_jobs));
        }
        if self.poll.is_zero() {
            return Err("poll must be above 0".into());
        }
        for option in &self.sbatch {
            if !option.starts_with('-') || option.contains(char::is_control) {
                return Err(format!(
                    "sbatch: `{}` is no option; write an option and its value as one word, such as \
                     \"--account=chem\"",
                    option.escape_debug()
                ));
            }
            let name = option.split('=').next().unwrap_or(option);
            if RESERVED.contains(&name) {
                return Err(format!("sbatch: `{name}` cannot be passed on, because molarena submits by it"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<ExecutorTable, String> {
        let table: ExecutorTable = toml::from_str(text).map_err(|error| error.to_string())?;
        table.check().map(|()| table)
    }

    #[test]
    fn tables_of_both_kinds() {
        assert_eq!(parsed("kind = 'local'").unwrap(), ExecutorTable::Local {});
        let text = "kind = 'slurm'\npartition = 'a,b'\nsbatch = ['--account=chem', '-C', '--qos=long']\npoll = '30s'";
        let expected = SlurmOptions {
            partition: Some("a,b".into()),
            sbatch: ["--account=chem", "-C", "--qos=long"].map(String::from).to_vec(),
            poll: Duration::from_secs(30),
            ..SlurmOptions::default()
        };
        assert_eq!(parsed(text).unwrap(), ExecutorTable::Slurm(expected));
    }

    #[test]
    fn errors_name_the_key() {
        for (text, part) in [
            ("kind = 'slurm'\npartitions = 'a'", "partitions"),
            ("kind = 'local'\npartition = 'a'", "partition"),
            ("kind = 'pbs'", "unknown variant `pbs`"),
            ("partition = 'a'", "kind"),
            ("kind = 'slurm'\nmax_jobs = 0", "executor.max_jobs is 0, must be from 1 to 1024"),
            ("kind = 'slurm'\npoll = '0s'", "executor.poll must be above 0"),
            ("kind = 'slurm'\npatience = 'long'", "write 90s, 10m or 3h"),
            ("kind = 'slurm'\nsbatch = ['chem']", "such as \"--account=chem\""),
            ("kind = 'slurm'\nsbatch = ['--array=1-3']", "`--array` cannot be passed on"),
        ] {
            let message = parsed(text).unwrap_err();
            assert!(message.contains(part), "{text}: {message}");
        }
    }
}
