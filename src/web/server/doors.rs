//! How a visitor comes in: encrypted or not.
//!
//! Whoever speaks plain HTTP to an encrypted port (an old bookmark, a typed address) is shown where to go.

use axum::{
    Router,
    extract::Request,
    http::{Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

/// The first byte of TLS: a record of the handshake (RFC 8446, 5.1).
const HANDSHAKE: u8 = 0x16;

/// A connection of which the first byte was read.
pub(super) struct Begun<T> {
    first: Option<u8>,
    io: T,
}

impl<T: AsyncRead + AsyncWrite + Unpin> Begun<T> {
    /// Waits for the first byte.
    pub(super) async fn read(mut io: T) -> io::Result<Self> {
        let first = Some(io.read_u8().await?);
        Ok(Self { first, io })
    }

    pub(super) fn is_tls(&self) -> bool {
        self.first == Some(HANDSHAKE)
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Begun<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.first.take_if(|_| buf.remaining() > 0) {
            Some(first) => {
                buf.put_slice(&[first]);
                Poll::Ready(Ok(()))
            }
            None => Pin::new(&mut self.io).poll_read(cx, buf),
        }
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Begun<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

/// What is served in plain HTTP at an encrypted port: where the same is encrypted.
pub(in crate::web) fn to_https() -> Router {
    Router::new().fallback(async |request: Request| -> Response {
        let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | ':' | '[' | ']');
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        if !reads || host.is_empty() || !host.chars().all(plain) {
            let words = "Địa chỉ này dùng https://; hãy gửi lại qua https.\nthis address speaks https://; send it again by https\n";
            return (StatusCode::UPGRADE_REQUIRED, [(header::UPGRADE, "TLS/1.2")], words).into_response();
        }
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, format!("https://{host}{path}"))]).into_response()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_byte_is_read_once() {
        let mut begun = Begun::read(io::Cursor::new(b"\x16abc".to_vec())).await.expect("there is one");
        assert!(begun.is_tls());
        let mut all = Vec::new();
        begun.read_to_end(&mut all).await.expect("memory");
        assert_eq!(all, b"\x16abc");
    }
}
