//! A Slurm of two virtual nodes on this machine, in a folder of its own: a controller, two node daemons and munge, all
//! ended when it is dropped.

use std::{
    fmt::Write as _,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant, SystemTime},
};

use fs_err as fs;
use molarena_tests::TestArena;

/// Far longer than anything takes, even on a busy machine.
const PATIENCE: Duration = Duration::from_mins(2);
/// The controller saves what it knows at most so long after a change.
const SAVES: Duration = Duration::from_secs(6);
/// Variable that requires these tests.
const REQUIRE: &str = "MOLARENA_REQUIRE_SLURM";

/// How a cluster differs from the usual one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    /// Processors of each node.
    pub(crate) processors: usize,
    /// Most jobs in the controller's memory.
    pub(crate) max_jobs: usize,
    /// How long ended jobs stay there.
    pub(crate) min_job_age: usize,
}

impl Default for Shape {
    fn default() -> Self {
        Self { processors: 2, max_jobs: 1000, min_job_age: 300 }
    }
}

/// A running cluster.
pub(crate) struct Cluster {
    folder: tempfile::TempDir,
    munge: Option<Child>,
    controller: Option<Child>,
    nodes: [Option<Child>; 2],
}

impl Cluster {
    /// Starts a cluster; `None`, with a line on standard error, where Slurm is not installed.
    pub(crate) fn start(shape: Shape) -> Option<Self> {
        let missing =
            ["munged", "slurmctld", "slurmd", "sbatch"].into_iter().find(|name| program(name).is_none());
        if let Some(missing) = missing {
            let required = std::env::var_os(REQUIRE).is_some_and(|value| value == "1");
            assert!(!required, "{REQUIRE}=1, but {missing} is not installed (Debian: slurm-wlm, munge)");
            eprintln!("skipped: {missing} is not installed (Debian: slurm-wlm, munge)");
            return None;
        }
        let folder = tempfile::Builder::new().prefix("molarena-slurm-").tempdir().unwrap();
        let mut cluster = Self { folder, munge: None, controller: None, nodes: [None, None] };
        cluster.configure(shape);
        cluster.start_munge();
        cluster.start_controller();
        cluster.start_node(1);
        cluster.start_node(2);
        cluster.wait_for("two idle nodes", || {
            cluster.slurm("sinfo", &["--noheader", "--Node", "--format=%T"]).matches("idle").count() >= 2
        });
        Some(cluster)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn configuration(&self) -> PathBuf {
        self.path("etc/slurm.conf")
    }

    fn configure(&self, shape: Shape) {
        for name in ["etc", "log", "munge", "n1", "n2", "run", "spool", "state"] {
            fs::create_dir(self.path(name)).unwrap();
        }
        // munged insists on it.
        fs::set_permissions(self.folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        fs::set_permissions(self.path("munge"), std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
        fs::write(self.path("munge/key"), [7; 1024]).unwrap();
        fs::set_permissions(self.path("munge/key"), std::os::unix::fs::PermissionsExt::from_mode(0o400))
            .unwrap();
        let [host, user] = [["hostname", "-s"], ["id", "-un"]].map(|command| {
            let output = Command::new(command[0]).arg(command[1]).output().unwrap();
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        });
        // Held until all three are known.
        let ports = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let [controller, one, two] = ports.each_ref().map(|port| port.local_addr().unwrap().port());
        let Shape { processors, max_jobs, min_job_age } = shape;
        let d = self.folder.path().display();
        let mut text = format!(
            "ClusterName=test\nSlurmctldHost={host}(127.0.0.1)\nSlurmUser={user}\nSlurmdUser={user}\n\
             AuthType=auth/munge\nAuthInfo=socket={d}/run/munge.sock,cred_expire=5\nCredType=cred/munge\n\
             SlurmctldPort={controller}\nStateSaveLocation={d}/state\nSlurmdSpoolDir={d}/spool/%n\n\
             SlurmctldPidFile={d}/run/slurmctld.pid\nSlurmdPidFile={d}/run/slurmd-%n.pid\n\
             SlurmctldLogFile={d}/log/slurmctld.log\nSlurmdLogFile={d}/log/slurmd-%n.log\n\
             ProctrackType=proctrack/linuxproc\nTaskPlugin=task/none\nJobAcctGatherType=jobacct_gather/none\n\
             AccountingStorageType=accounting_storage/none\nJobCompType=jobcomp/filetxt\nJobCompLoc={d}/log/jobs\n\
             MpiDefault=none\nMailProg=/bin/true\nCommunicationParameters=NoInAddrAny,NoCtldInAddrAny\n\
             SelectType=select/cons_tres\nSelectTypeParameters=CR_Core_Memory\n\
             SchedulerParameters=batch_sched_delay=0,sched_interval=5\nReturnToService=2\nSlurmdTimeout=30\n\
             KillWait=5\nMessageTimeout=5\nMaxArraySize=10001\nMaxJobCount={max_jobs}\nMinJobAge={min_job_age}\n\
             GresTypes=gpu\n"
        );
        for (node, port) in [(1, one), (2, two)] {
            writeln!(
                text,
                "NodeName=n{node} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs={processors} \
                 RealMemory=4000 Gres=gpu:2"
            )
            .unwrap();
        }
        text += "PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP\n\
                 PartitionName=cards Nodes=n2 MaxTime=INFINITE State=UP\n";
        fs::write(self.configuration(), text).unwrap();
        let gres = "NodeName=n[1-2] Name=gpu Count=1 File=/dev/null\nNodeName=n[1-2] Name=gpu Count=1 File=/dev/zero\n";
        fs::write(self.path("etc/gres.conf"), gres).unwrap();
    }

    fn daemon(name: &str) -> Command {
        let mut command = Command::new(program(name).unwrap());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    fn start_munge(&mut self) {
        let socket = self.path("run/munge.sock");
        let mut command = Self::daemon("munged");
        for (option, name) in [
            ("key-file", "munge/key"),
            ("socket", "run/munge.sock"),
            ("pid-file", "run/munged.pid"),
            ("log-file", "log/munged.log"),
            ("seed-file", "munge/seed"),
        ] {
            command.arg(format!("--{option}={}", self.path(name).display()));
        }
        self.munge = Some(command.args(["--foreground", "--force", "--num-threads=2"]).spawn().unwrap());
        self.wait_for("munge", || socket.exists());
    }

    pub(crate) fn start_controller(&mut self) {
        let mut command = Self::daemon("slurmctld");
        self.controller = Some(command.args(["-D", "-f"]).arg(self.configuration()).spawn().unwrap());
        self.wait_for("the controller", || self.ask("sinfo", &[]).status.success());
    }

    /// Kills the controller once it has saved what it knows: one that forgets that a job runs starts it again, which the
    /// node refuses, and then takes the node out of service until somebody looks.
    pub(crate) fn kill_controller(&mut self) {
        let (state, asked) = (self.path("state/job_state"), SystemTime::now());
        let saved =
            || fs::metadata(&state).and_then(|found| found.modified()).is_ok_and(|saved| saved > asked);
        let started = Instant::now();
        self.wait_for("the saved state", || saved() || started.elapsed() > SAVES);
        end(&mut self.controller);
    }

    /// Starts the daemon of node 1 or 2.
    fn start_node(&mut self, node: usize) {
        let mut command = Self::daemon("slurmd");
        command.args(["-D", "-N", &format!("n{node}"), "-f"]).arg(self.configuration());
        // What it starts works there, too, and is found again by it.
        self.nodes[node - 1] = Some(command.current_dir(self.home(node)).spawn().unwrap());
    }

    fn home(&self, node: usize) -> PathBuf {
        self.path(&format!("n{node}"))
    }

    /// Kills a node with all that runs there, and lets the controller know, which else would take its time.
    pub(crate) fn kill_node(&mut self, node: usize) {
        end(&mut self.nodes[node - 1]);
        for process in self.on_node(node) {
            kill(process);
        }
        self.slurm("scontrol", &["update", &format!("NodeName=n{node}"), "State=DOWN", "Reason=killed"]);
    }

    /// Brings a killed node back.
    pub(crate) fn revive_node(&mut self, node: usize) {
        self.start_node(node);
        self.slurm("scontrol", &["update", &format!("NodeName=n{node}"), "State=RESUME"]);
    }

    /// The processes of a node: what its daemon started, and the jobs on it.
    fn on_node(&self, node: usize) -> Vec<u32> {
        let home = fs::canonicalize(self.home(node)).unwrap();
        let marks =
            [format!("SLURMD_NODENAME=n{node}"), format!("SLURM_CONF={}", self.configuration().display())];
        let is_there = |process: &u32| {
            let folder = fs::read_link(format!("/proc/{process}/cwd"));
            let environment = environment(*process);
            folder.is_ok_and(|folder| folder == home) || marks.iter().all(|mark| environment.contains(mark))
        };
        let processes = fs::read_dir("/proc").unwrap().flatten();
        let processes = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        processes.filter(is_there).collect()
    }

    /// The output of one of Slurm's programs, which must succeed.
    pub(crate) fn slurm(&self, program: &str, arguments: &[&str]) -> String {
        let output = self.ask(program, arguments);
        assert!(
            output.status.success(),
            "{program} {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn ask(&self, program: &str, arguments: &[&str]) -> Output {
        Command::new(program).args(arguments).env("SLURM_CONF", self.configuration()).output().unwrap()
    }

    /// The states of all jobs in the queue, by their ids, ended ones too.
    pub(crate) fn states(&self) -> Vec<(String, String)> {
        let text = self.slurm("squeue", &["--array", "--noheader", "--states=all", "--format=%i %T"]);
        text.lines()
            .filter_map(|line| line.split_once(' '))
            .map(|(id, state)| (id.into(), state.into()))
            .collect()
    }

    /// How many jobs are in a state.
    pub(crate) fn count(&self, state: &str) -> usize {
        self.states().iter().filter(|(_, found)| found == state).count()
    }

    /// How many jobs ended so far, whatever the controller still knows of them, and the ids of their arrays.
    pub(crate) fn ended(&self) -> (usize, std::collections::BTreeSet<String>) {
        let text = fs::read_to_string(self.path("log/jobs")).unwrap_or_default();
        let array = |line: &str| {
            let word = line.split(' ').find_map(|word| word.strip_prefix("ArrayJobId="))?;
            Some(word.to_owned())
        };
        (text.lines().count(), text.lines().filter_map(array).collect())
    }

    /// How many jobs ended in a partition.
    pub(crate) fn ended_in(&self, partition: &str) -> usize {
        let text = fs::read_to_string(self.path("log/jobs")).unwrap_or_default();
        text.matches(&format!(" Partition={partition} ")).count()
    }

    /// How many jobs ran, once the controller knows that all of them ended.
    pub(crate) fn ran(&self) -> usize {
        let alive = ["PENDING", "RUNNING", "COMPLETING"];
        let all_ended = || !self.states().iter().any(|(_, state)| alive.contains(&state.as_str()));
        self.wait_for("the end of all jobs", all_ended);
        self.ended().0
    }

    /// `molarena` in an arena, with this cluster.
    pub(crate) fn molarena(&self, arena: &TestArena, arguments: &[&str]) -> Command {
        let mut command = arena.command(arguments);
        command.env("SLURM_CONF", self.configuration());
        command
    }

    pub(crate) fn wait_for(&self, what: &str, done: impl Fn() -> bool) {
        let started = Instant::now();
        while !done() {
            let log = || fs::read_to_string(self.path("log/slurmctld.log")).unwrap_or_default();
            assert!(started.elapsed() < PATIENCE, "{what} takes too long\n{}", log());
            thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for node in [1, 2] {
            end(&mut self.nodes[node - 1]);
        }
        end(&mut self.controller);
        end(&mut self.munge);
        for process in [1, 2].into_iter().flat_map(|node| self.on_node(node)) {
            kill(process);
        }
    }
}

fn end(child: &mut Option<Child>) {
    if let Some(mut child) = child.take() {
        let _gone = child.kill();
        let _ended = child.wait();
    }
}

fn kill(process: u32) {
    // It may have ended meanwhile.
    let _gone =
        Command::new("sh").args(["-c", &format!("kill -KILL {process}")]).stderr(Stdio::null()).status();
}

/// The environment of a process; empty if it is gone or somebody else's.
fn environment(process: u32) -> Vec<String> {
    let bytes = fs::read(format!("/proc/{process}/environ")).unwrap_or_default();
    String::from_utf8_lossy(&bytes).split('\0').map(ToOwned::to_owned).collect()
}

/// Where a program is.
fn program(name: &str) -> Option<PathBuf> {
    let folders = ["/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin"];
    folders.iter().map(|folder| Path::new(folder).join(name)).find(|path| path.is_file())
}
