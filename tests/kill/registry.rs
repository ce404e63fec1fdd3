//! A registry that fails every third request: what stands between the controller and the real one.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::Result;

/// How many requests were failed.
pub(crate) static FAILED: AtomicUsize = AtomicUsize::new(0);

/// Answers where it listens; its threads end with the test's process.
pub(crate) fn unreliable(registry: &str) -> Result<SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let address = listener.local_addr()?;
    let registry = registry.to_owned();
    thread::spawn(move || {
        for (stream, number) in listener.incoming().flatten().zip(1_usize..) {
            let registry = registry.clone();
            // An error is the client's, who asks again.
            thread::spawn(move || pass_on(stream, &registry, number));
        }
    });
    Ok(address)
}

/// One request a connection.
fn pass_on(mut client: TcpStream, registry: &str, number: usize) -> std::io::Result<()> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && client.read(&mut byte)? == 1 {
        head.push(byte[0]);
    }
    if number.is_multiple_of(3) {
        FAILED.fetch_add(1, Ordering::Relaxed);
        let answer = "HTTP/1.1 503 Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
        return client.write_all(answer.as_bytes());
    }
    let head = String::from_utf8_lossy(&head);
    let (first, rest) = head.split_once("\r\n").unwrap_or((&head, "\r\n"));
    let mut server = TcpStream::connect(registry)?;
    server.write_all(format!("{first}\r\nConnection: close\r\n{rest}").as_bytes())?;
    std::io::copy(&mut server, &mut client)?;
    Ok(())
}
