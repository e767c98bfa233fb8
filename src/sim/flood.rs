//! Answers without an end, as no honest camera gives them.

use super::connection::{Connection, Request};
use std::io;

impl Connection {
    pub(super) async fn endless_headers(&mut self) -> io::Result<()> {
        self.send(b"RTSP/1.0 200 OK\r\n").await?;
        let lines = b"X-Padding: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n".repeat(1000);
        self.flood(&lines).await
    }

    pub(super) async fn huge_body(&mut self, request: &Request) -> io::Result<()> {
        let head = format!(
            "RTSP/1.0 200 OK\r\nCSeq: {}\r\nContent-Type: application/sdp\r\nContent-Length: 10000000000\r\n\r\n",
            request.cseq
        );
        self.send(head.as_bytes()).await?;
        self.flood(&vec![b'v'; 64 * 1024]).await
    }

    /// Sends until the client goes or the fault ends.
    async fn flood(&mut self, bytes: &[u8]) -> io::Result<()> {
        let fault = self.shared.fault();
        while self.shared.fault() == fault {
            self.send(bytes).await?;
        }
        Err(io::ErrorKind::ConnectionAborted.into())
    }
}
