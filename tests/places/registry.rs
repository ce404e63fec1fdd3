//! A real registry, over plain HTTP.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::testbed;

/// Ends with its owner.
pub(crate) struct Registry {
    process: Child,
    pub(crate) address: String,
}

impl Registry {
    /// Keeps its data in a folder; with `login` it lets in whoever knows it. None where the
    /// registry cannot be built.
    pub(crate) fn start(folder: &Path, login: Option<(&str, &str)>) -> Option<Self> {
        let program = match testbed::program("registry") {
            Ok(program) => program,
            Err(error) => {
                eprintln!("skipped: there is no registry: {error:#}");
                return None;
            }
        };
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap().to_string();
        drop(free);
        let data = folder.join("data").display().to_string();
        let mut config = format!(
            "version: 0.1\nstorage: {{filesystem: {{rootdirectory: {data}}}}}\nhttp: {{addr: \
             \"{address}\"}}\nlog: {{level: error}}\n"
        );
        let name = match login {
            None => "open",
            Some((user, password)) => {
                let hash = bcrypt::hash(password, 4).unwrap();
                let logins = folder.join("logins");
                fs::write(&logins, format!("{user}:{hash}\n")).unwrap();
                let logins = logins.display();
                config += &format!("auth: {{htpasswd: {{realm: test, path: {logins}}}}}\n");
                "closed"
            }
        };
        let file = folder.join(format!("{name}.yaml"));
        fs::write(&file, config).unwrap();
        let process = Command::new(program)
            .arg("serve")
            .arg(file)
            .env_clear()
            .env("OTEL_TRACES_EXPORTER", "none")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let registry = Self { process, address };
        let begin = Instant::now();
        while TcpStream::connect(&registry.address).is_err() {
            assert!(begin.elapsed() < Duration::from_secs(30), "no registry");
            thread::sleep(Duration::from_millis(20));
        }
        Some(registry)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
