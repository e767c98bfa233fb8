//! A PostgreSQL server of a test's own, which is stopped, started and broken as servers are.

use super::{eventually, free_address, run};
use std::{
    fs,
    os::unix::fs::{MetadataExt, chown},
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// A server with the database `camhealth`, whose owner is the user of that name.
pub struct Postgres {
    folder: tempfile::TempDir,
    programs: PathBuf,
    pub port: u16,
}

impl Postgres {
    /// Starts one that asks nobody for a password.
    pub fn start() -> Self {
        Self::with("trust", &[])
    }

    /// Starts one that asks by this method; `settings` are lines of its configuration.
    pub fn with(method: &str, settings: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let postgres = Self { programs: programs(), port: free_address().port(), folder };
        fs::create_dir(postgres.path("data")).expect("a folder");
        fs::write(postgres.path("password"), PASSWORD).expect("a disk");
        ["", "data", "password"].into_iter().for_each(|name| postgres.hand_over(&postgres.path(name)));
        let (data, password) = (postgres.path("data"), postgres.path("password"));
        let mut init = postgres.command("initdb");
        init.args(["--data-checksums", "--no-locale", "-E", "UTF8", "-U", "camhealth", "-A", method, "-D"]);
        init.arg(&data).arg("--pwfile").arg(password).arg("--no-sync");
        done(run(&mut init));
        let more = format!(
            "listen_addresses = '127.0.0.1'\nport = {}\nunix_socket_directories = '{}'\nmax_connections = 50\n{}\n",
            postgres.port,
            postgres.folder.path().display(),
            settings.join("\n")
        );
        let file = data.join("postgresql.conf");
        let usual = fs::read_to_string(&file).expect("initdb wrote it");
        fs::write(file, usual + &more).expect("a disk");
        postgres.start_again();
        let created = postgres.psql("postgres", "CREATE DATABASE camhealth");
        assert!(created.status.success(), "{}", String::from_utf8_lossy(&created.stderr));
        postgres
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Where the server keeps its files.
    pub fn data(&self) -> PathBuf {
        self.path("data")
    }

    /// Gives something to the user that the server runs as.
    pub fn hand_over(&self, path: &Path) {
        chown(path, Some(owner()), Some(owner())).expect("it is ours");
    }

    /// Puts a file beside the server's, for the server alone to read.
    pub fn put(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path("data").join(name);
        fs::write(&path, text).expect("a disk");
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("it is ours");
        self.hand_over(&path);
        path
    }

    /// The server's address without a password.
    pub fn url(&self) -> String {
        format!("postgres://camhealth@127.0.0.1:{}/camhealth", self.port)
    }

    /// A program of the server's, as a user who is nobody's master: it starts as no other.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new("setpriv");
        let owner = owner().to_string();
        command.args(["--reuid", &owner, "--regid", &owner, "--clear-groups"]);
        command.arg(self.programs.join(program)).current_dir(self.folder.path()).env("PGPASSWORD", PASSWORD);
        command
    }

    fn control(&self, arguments: &[&str]) {
        let mut command = self.command("pg_ctl");
        command.arg("-D").arg(self.data()).arg("-l").arg(self.path("log")).args(arguments);
        done(run(&mut command));
    }

    /// Stops it as an administrator does who is in a hurry.
    pub fn stop(&self) {
        self.control(&["-m", "fast", "stop"]);
    }

    /// Stops it as a power cut does.
    pub fn crash(&self) {
        self.control(&["-m", "immediate", "stop"]);
    }

    pub fn start_again(&self) {
        self.control(&["-w", "start"]);
    }

    fn psql(&self, database: &str, sql: &str) -> Output {
        let mut command = self.command("psql");
        command.args(["-X", "-A", "-t", "-q", "-h", "127.0.0.1", "-U", "camhealth", "-p", &self.port.to_string()]);
        run(command.args(["-d", database, "-c", sql]))
    }

    /// What the database answers, a line for each row; nothing while it cannot be asked.
    pub fn ask(&self, sql: &str) -> Option<Vec<String>> {
        let output = self.psql("camhealth", sql);
        let lines = || String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect();
        output.status.success().then(lines)
    }

    /// All processes of the server.
    #[allow(dead_code, reason = "a bench asks")]
    pub fn processes(&self) -> Vec<u32> {
        let pids = fs::read_to_string(self.data().join("postmaster.pid")).unwrap_or_default();
        let first: Option<u32> = pids.lines().next().and_then(|line| line.trim().parse().ok());
        let children = |id: u32| fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
        let all = first.map(children).unwrap_or_default();
        first.into_iter().chain(all.split_whitespace().filter_map(|id| id.parse().ok())).collect()
    }

    /// The processes at the server's end of the daemon's sessions.
    pub async fn sessions(&self) -> Vec<String> {
        let sql = "SELECT pid FROM pg_stat_activity WHERE application_name = 'camhealth'";
        eventually("sessions", async || self.ask(sql).filter(|lines| !lines.is_empty())).await
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let mut command = self.command("pg_ctl");
        command.arg("-D").arg(self.data()).args(["-m", "immediate", "stop"]);
        // It may be stopped already.
        let _ = run(&mut command);
    }
}

/// What the server asks for where it asks.
pub const PASSWORD: &str = "mật khẩu của máy chủ";

fn done(output: Output) {
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(output.status.success(), "{text}");
}

/// Who a server runs as: it refuses to be root, as which tests may run.
fn owner() -> u32 {
    let own = fs::metadata("/proc/self").expect("it is there").uid();
    if own == 0 { fs::metadata("/var/lib/postgresql").expect("tests/run installs it").uid() } else { own }
}

fn programs() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL is missing: tests/run installs it");
    let mut found: Vec<PathBuf> = versions.filter_map(|entry| Some(entry.ok()?.path().join("bin"))).collect();
    found.retain(|path| Path::exists(&path.join("initdb")));
    found.sort();
    found.pop().expect("PostgreSQL is missing: tests/run installs it")
}
