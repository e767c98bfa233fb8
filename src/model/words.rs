//! The words for states and reasons that people read, on pages and in messages, Vietnamese and English.

use super::{FailureKind, Kind, Language, Level, State, ViewState};

/// Words of one enum: for each variant its Vietnamese, then its English.
macro_rules! words {
    ($type:ty { $($variant:ident => $vietnamese:literal, $english:literal;)* }) => {
        impl $type {
            /// What people call it.
            pub fn text(self, language: Language) -> &'static str {
                match (self, language) {
                    $((Self::$variant, Language::Vi) => $vietnamese, (Self::$variant, Language::En) => $english,)*
                }
            }
        }
    };
}

words!(State {
    Up => "hoạt động", "up";
    Degraded => "suy giảm", "degraded";
    Down => "hỏng", "down";
    Unknown => "chưa rõ", "unknown";
});

words!(Level {
    Full => "đủ", "full";
    Reduced => "giảm", "reduced";
    Critical => "nguy cấp", "critical";
    Blind => "mù hoàn toàn", "blind";
    Unknown => "chưa rõ", "unknown";
});

words!(ViewState {
    Covered => "quan sát được", "covered";
    Lost => "mất", "lost";
    Unknown => "chưa rõ", "unknown";
});

words!(Kind {
    Public => "công cộng", "public";
    Household => "hộ dân", "household";
});

words!(FailureKind {
    Unresolved => "không tìm thấy địa chỉ theo tên máy", "the host name has no address";
    Unreachable => "mạng không có đường tới camera", "the network has no way to the camera";
    Timeout => "không trả lời (mất điện hoặc đứt cáp)", "no answer (no power or a cut cable)";
    Refused => "cổng RTSP đóng (thiết bị vẫn bật)", "the RTSP port is closed (the device is on)";
    NoRtsp => "không trả lời giao thức RTSP", "does not answer in RTSP";
    Oversized => "gửi dữ liệu quá lớn, bất thường", "sends abnormally large answers";
    Auth => "sai tài khoản hoặc mật khẩu", "the login is rejected";
    SessionLimit => "hết lượt kết nối (máy khác đang xem)", "all sessions are taken";
    NotFound => "sai đường dẫn luồng hình", "no stream at this path";
    RtspError => "lỗi RTSP", "an RTSP error";
    Nonconforming => "trả lời không đúng chuẩn", "answers outside the standard";
    CodecUnsupported => "chuẩn nén hình không hỗ trợ", "the video codec is not supported";
    NoMedia => "không có hình truyền về", "no video arrives";
    Stalled => "hình bị dừng giữa chừng", "video stops";
    EncoderRestarted => "bộ mã hóa khởi động lại", "the encoder restarts";
    Loss => "mất gói tin", "packets are lost";
    Clock => "đồng hồ camera sai giờ", "the camera's clock is wrong";
    ProbeFailed => "bộ giám sát không kiểm tra được", "the monitor could not look";
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_is_said_differently_in_each_language() {
        for language in [Language::Vi, Language::En] {
            let mut words: Vec<_> = FailureKind::ALL.iter().map(|kind| kind.text(language)).collect();
            words.sort_unstable();
            words.dedup();
            assert_eq!(words.len(), FailureKind::ALL.len());
        }
        assert!(FailureKind::ALL.iter().all(|kind| kind.text(Language::Vi) != kind.text(Language::En)));
    }
}
