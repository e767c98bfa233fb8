//! What a simulated camera can suffer from.

/// A fault that holds until another is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fault {
    /// None: a good camera.
    #[default]
    None,
    /// Connects time out, as without power or behind a cut cable.
    PoweredOff,
    /// The host is there and refuses RTSP connections.
    PortClosed,
    /// Accepts and says nothing.
    Mute,
    /// Answers in something that is no RTSP.
    Garbage,
    /// Sends header lines without end.
    EndlessHeaders(Stage),
    /// Claims a body of ten gigabytes and sends as fast as it can.
    HugeBody(Stage),
    /// Answers a byte a second.
    Drip,
    /// Answers rightly, a byte at a time.
    OneByteWrites,
    /// Rejects every login.
    WrongLogin,
    /// Knows no path.
    NotFound,
    /// All sessions are taken.
    Busy,
    /// Grants `PLAY` and sends nothing.
    NoMedia,
    /// Sends so many frames and stops.
    Stall {
        /// Frames before the stop.
        after_frames: u32,
    },
    /// The picture stands still: timestamps go on, frames are empty.
    Frozen,
    /// Leaves out RTP packets.
    Lossy {
        /// One packet in so many.
        one_in: u32,
    },
    /// The clock is off.
    WrongClock {
        /// By so many seconds.
        seconds: i64,
    },
    /// Offers a codec that nobody counts.
    UnsupportedCodec,
    /// Offers sound only.
    AudioOnly,
    /// Changes its SSRC in mid-stream, as a restarted encoder does.
    SsrcChange {
        /// Frames before the change.
        after_frames: u32,
    },
    /// Sends requests of its own while it plays.
    CameraSendsOptions,
    /// Describes itself with parameters in the content type.
    OddContentType,
    /// Changes its nonce after `DESCRIBE`.
    StaleNonce,
    /// Names another host in Content-Base.
    ForeignContentBase,
    /// Its ONVIF service answers with megabytes of nested XML.
    SoapBomb,
}

/// The request at which a hostile answer comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// At once.
    Options,
    /// Only where a login has passed.
    Describe,
}
