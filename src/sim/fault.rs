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
    /// Answers the first client that asks with an error, and all after it rightly.
    RefusesFirstClient,
    /// Answers one client with an error, and floods the one that asks after it.
    FloodsSecondClient,
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
    /// The encoder hangs: the same frame again and again, with fresh timestamps.
    Frozen,
    /// The picture stands still: timestamps go on, frames are empty.
    Still,
    /// One frame in so many is sent.
    Slow {
        /// Frames of which one is sent.
        one_in: u32,
    },
    /// Timestamps run at half the speed of time.
    HalfSpeed,
    /// Timestamps jump an hour ahead.
    TimestampJump {
        /// Frames before the jump.
        after_frames: u32,
    },
    /// Frames come in bursts, a second's at once.
    Bursts,
    /// Another parameter set in mid-stream.
    NewParameters {
        /// Frames before the change.
        after_frames: u32,
    },
    /// Sender reports tell a time that runs a tenth too fast.
    FastClock,
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
    /// Sends the last group of pictures from a cache, at once, and then nothing: the camera behind it is gone.
    CachedOnly,
    /// Sends a cache at once, and then goes on live, as recorders and relays do.
    CacheThenLive,
    /// Closes the connection after so many frames.
    Closes {
        /// Frames before the end.
        after_frames: u32,
    },
    /// Resets the connection after so many frames.
    Resets {
        /// Frames before the end.
        after_frames: u32,
    },
    /// Calls its video VP8: a codec that is not taken apart.
    UnsupportedCodec,
    /// Calls its video a codec that nobody has heard of.
    UnknownCodec,
    /// Offers sound only.
    AudioOnly,
    /// Describes itself with nothing at all.
    EmptyDescription,
    /// Changes its SSRC in mid-stream, and goes on as before.
    SsrcChange {
        /// Frames before the change.
        after_frames: u32,
    },
    /// Begins anew in mid-stream, with another SSRC and other timestamps, as a restarted encoder does.
    Restart {
        /// Frames before.
        after_frames: u32,
    },
    /// Its sequence numbers step back.
    SequenceBack {
        /// Frames before.
        after_frames: u32,
    },
    /// Sends bytes that are no packet between its packets.
    StrayBytes,
    /// Sends requests of its own while it plays.
    CameraSendsOptions,
    /// Describes itself with parameters in the content type.
    OddContentType,
    /// Writes its session with parameters of its own.
    OddSession,
    /// Writes the timeout of its session with a capital letter and a space.
    SpacedSession,
    /// Changes its nonce after `DESCRIBE`.
    StaleNonce,
    /// Wants a fresh nonce for every request.
    FreshNonces,
    /// Calls every nonce stale, whatever the login.
    AlwaysStale,
    /// Sends the body of a 401 in a segment of its own.
    LateBody,
    /// Wants the password in clear.
    BasicOnly,
    /// Describes itself with a line that is no field, which ends the parser that retina uses.
    BrokenDescription,
    /// Names another host in Content-Base.
    ForeignContentBase,
    /// Names other hosts wherever it can, and a server whose sessions outlive their connections; closes at `TEARDOWN`.
    Betrayer {
        /// The ports of those hosts, all on loopback.
        sink: u16,
    },
    /// Redirects to another path of its own.
    Redirects,
    /// Redirects to another host.
    RedirectsAway {
        /// Its port, on loopback.
        sink: u16,
    },
    /// Calls the first nonce that a login uses stale, as cameras do whose nonces expire.
    StaleFirst,
    /// Accepts the login once a minute, as makes do whose connections have run out: later ones are refused with 401.
    RefusesSecondLogin,
    /// Its ONVIF service answers with megabytes of nested XML.
    SoapBomb,
    /// Reports by ONVIF that its storage has failed.
    StorageFailure,
    /// Reports by ONVIF that its sensor gives no signal.
    SignalLoss,
    /// Tells another start at each question, as after reboots.
    Reboots,
    /// Another device: another serial number.
    Swapped,
    /// An older firmware.
    OldFirmware,
    /// Names other stream addresses by ONVIF than it serves.
    OtherStreams,
}

impl Fault {
    /// A fault that needs no figure, by its name.
    pub fn named(name: &str) -> Option<Self> {
        let fault = match name {
            "none" => Self::None,
            "powered_off" => Self::PoweredOff,
            "port_closed" => Self::PortClosed,
            "mute" => Self::Mute,
            "garbage" => Self::Garbage,
            "wrong_login" => Self::WrongLogin,
            "not_found" => Self::NotFound,
            "busy" => Self::Busy,
            "no_media" => Self::NoMedia,
            "frozen" => Self::Frozen,
            "still" => Self::Still,
            "cached_only" => Self::CachedOnly,
            "audio_only" => Self::AudioOnly,
            "soap_bomb" => Self::SoapBomb,
            "reboots" => Self::Reboots,
            _ => return None,
        };
        Some(fault)
    }
}

/// The request at which a hostile answer comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// At once.
    Options,
    /// Only where a login has passed.
    Describe,
}
