//! A connection whose reader must keep pace: output that waits is taken in time, or the connection breaks.
//!
//! What is counted is what the kernel takes, which is what the reader has acknowledged but for one send buffer. A
//! reader that takes a byte now and then does not keep what waits for it in our memory.

use super::chair::Chair;
use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep_until},
};

/// The connection.
pub(super) struct Paced<T> {
    io: T,
    chair: Arc<Chair>,
    pace: Duration,
    least: usize,
    /// Since when output waits, or since it last kept pace.
    waits_since: Option<Instant>,
    /// Bytes that were taken since then.
    taken: usize,
    timer: Pin<Box<Sleep>>,
}

impl<T> Paced<T> {
    pub(super) fn new(io: T, chair: Arc<Chair>, pace: Duration, least: usize) -> Self {
        let timer = Box::pin(sleep_until(Instant::now()));
        Self { io, chair, pace, least, waits_since: None, taken: 0, timer }
    }

    /// Passes on what became of a write, unless the reader is too slow.
    fn judged(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(Ok(taken)) => self.taken = self.taken.saturating_add(taken),
            Poll::Ready(Err(_)) => {}
            Poll::Pending => {
                let now = Instant::now();
                let since = match self.waits_since {
                    Some(since) if now.duration_since(since) < self.pace => since,
                    Some(_) if self.taken < self.least => return too_slow(),
                    // It begins to wait, or it kept pace and is given as long again.
                    _ => {
                        self.taken = 0;
                        now
                    }
                };
                self.waits_since = Some(since);
                let end = self.chair.due().map_or(since + self.pace, |due| due.min(since + self.pace));
                if end <= now {
                    return too_slow();
                }
                self.timer.as_mut().reset(end);
                // It wakes us, and hyper writes again.
                let _ = self.timer.as_mut().poll(cx);
            }
        }
        written
    }
}

fn too_slow() -> Poll<io::Result<usize>> {
    Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the reader takes too little of what waits for it")))
}

impl<T: AsyncRead + Unpin> AsyncRead for Paced<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Paced<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(cx, buf);
        self.judged(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write_vectored(cx, bufs);
        self.judged(cx, written)
    }

    /// Many readers of one page then share its bytes: hyper copies what it cannot hand over in pieces.
    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    /// hyper flushes when it has written all that it has.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.waits_since = None;
        self.chair.written();
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
