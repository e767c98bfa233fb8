//! One camera: its verdicts over time, its stream's figures, its clock, and what looks at it cost.

use super::grafana::{Board, GREEN, GREY, Panel, RED, Say, YELLOW, hamlets, kinds_and_links, states, variable};
use serde_json::{Value, json};

pub(super) fn board(say: Say) -> Value {
    let of = |metric: &str| format!("{metric}{{instance=~\"$instance\", camera=~\"$camera\"}}");
    let measured = say.of(
        "Giá trị của lần kiểm tra luồng hình gần nhất; không có điểm khi camera không truyền hình.",
        "As of the last look at the stream; no point while no video arrives.",
    );
    let line = |title: &str, description: &str, metric: &str, unit: &str, x: u32, y: u32| {
        Panel::lines(title, description).at(x, y, 8, 8).over_time(&of(metric), "{{camera}}").unit(unit)
    };
    let panels = vec![
        Panel::stat(
            say.of("Trạng thái", "State"),
            say.of(
                "Trạng thái sau khi đã xác nhận. Trang camera của camhealth nêu từng bước lý do.",
                "The confirmed state. The camera's page on camhealth gives the reasons step by step.",
            ),
        )
        .at(0, 0, 6, 4)
        .now(&of("camera:camhealth_camera_state:code"), "{{camera}}")
        .words(&states(say))
        .steps(&[(0.0, GREY)]),
        Panel::stat(
            say.of("Từ lúc", "Since"),
            say.of("Từ khi nào ở trạng thái này.", "Since when it has been in that state."),
        )
        .at(6, 0, 4, 4)
        .now(&format!("{} * 1000", of("camhealth_camera_state_since_timestamp_seconds")), "")
        .unit("dateTimeFromNow")
        .option("colorMode", json!("none"))
        .steps(&[(0.0, GREY)]),
        Panel::stat(
            say.of("Hình gần nhất", "Last video"),
            say.of(
                "Bao lâu rồi chưa nhận được hình. Camera công cộng được xem luồng mỗi phút.",
                "How long ago video last arrived. A public camera's stream is looked at each minute.",
            ),
        )
        .at(10, 0, 4, 4)
        .now(&format!("time() - {}", of("camhealth_camera_last_media_timestamp_seconds")), "")
        .unit("s")
        .decimals(0)
        .steps(&[(0.0, GREEN), (300.0, YELLOW), (3600.0, RED)]),
        Panel::stat(
            say.of("Sẵn sàng trong khoảng đã chọn", "Availability in the span shown"),
            say.of(
                "Thời gian hoạt động trên tổng thời gian hoạt động và hỏng; bảo trì và lúc không đo được không tính.",
                "Time up out of time up and down; maintenance and what was not seen are left out.",
            ),
        )
        .at(14, 0, 5, 4)
        .now(
            &format!(
                "sum_over_time({}[$__range]) / sum_over_time({}[$__range])",
                of("camera:camhealth_camera_seen:sum"),
                of("camera:camhealth_camera_counted:sum")
            ),
            "",
        )
        .unit("percentunit")
        .decimals(2)
        .steps(&[(0.0, RED), (0.95, YELLOW), (0.98, GREEN)]),
        Panel::stat(
            say.of("Đăng nhập bị từ chối", "Rejected logins"),
            say.of(
                "Với 2 lần thì không thử nữa cho tới khi đổi cấu hình, để không bị khóa tài khoản.",
                "With 2 none is tried any more until the configuration changes, so that no account is locked.",
            ),
        )
        .at(19, 0, 5, 4)
        .now(&of("camhealth_camera_login_strikes"), "{{protocol}}")
        .steps(&[(0.0, GREEN), (1.0, YELLOW), (2.0, RED)]),
        Panel::timeline(
            say.of("Lịch sử trạng thái", "Verdict history"),
            say.of("Trạng thái theo thời gian.", "The state over time."),
        )
        .at(0, 4, 24, 5)
        .over_time(&of("camera:camhealth_camera_state:code"), "{{camera}}")
        .words(&states(say))
        .steps(&[(0.0, GREY)]),
        Panel::timeline(
            say.of("Nguyên nhân", "Causes"),
            say.of(
                "Vì sao không tốt; tên nguyên nhân như trong README.",
                "Why it was not well; the causes are those of the README.",
            ),
        )
        .at(0, 9, 24, 5)
        .over_time(&of("camhealth_camera_failure"), "{{cause}}")
        .words(&[(1, say.of("có", "yes"), RED)])
        .steps(&[(0.0, RED)]),
        line(say.of("Khung hình mỗi giây", "Frame rate"), measured, "camhealth_camera_frames_per_second", "fps", 0, 14),
        Panel::lines(say.of("Tốc độ bit", "Bit rate"), measured)
            .at(8, 14, 8, 8)
            .over_time(&format!("{} * 8", of("camhealth_camera_stream_bytes_per_second")), "{{camera}}")
            .unit("bps"),
        line(
            say.of("Khoảng cách khung hình chính", "Keyframe interval"),
            measured,
            "camhealth_camera_keyframe_interval_seconds",
            "s",
            16,
            14,
        ),
        line(say.of("Gói tin mất", "Packets lost"), measured, "camhealth_camera_packets_lost", "short", 0, 22),
        line(say.of("Độ trễ không đều (jitter)", "Jitter"), measured, "camhealth_camera_jitter_seconds", "s", 8, 22),
        line(
            say.of("Lệch đồng hồ", "Clock offset"),
            say.of(
                "Đồng hồ camera trừ đồng hồ máy giám sát. Lệch tròn giờ thường là sai múi giờ.",
                "Camera clock minus the monitor's. Whole hours point to its time zone.",
            ),
            "camhealth_camera_clock_offset_seconds",
            "s",
            16,
            22,
        ),
        Panel::lines(
            say.of("Thời gian mỗi lần kiểm tra", "Time of looks"),
            say.of("Lần kiểm tra gần nhất của từng loại mất bao lâu.", "How long the last look of each depth took."),
        )
        .at(0, 30, 8, 8)
        .over_time(&of("camhealth_camera_probe_duration_seconds"), "{{check}}")
        .unit("s"),
        Panel::lines(
            say.of("Số lần kiểm tra", "Looks"),
            say.of("Số lần kiểm tra mỗi giây theo loại và kết quả.", "Looks a second, by depth and outcome."),
        )
        .at(8, 30, 8, 8)
        .over_time(
            &format!("sum by (check, outcome) (rate({}[$__rate_interval]))", of("camhealth_camera_probes_total")),
            "{{check}} {{outcome}}",
        )
        .unit("ops"),
        Panel::lines(
            say.of("Dung lượng còn lại", "Budget left"),
            say.of(
                "Số byte còn được phép dùng ngay. Hết thì camera chỉ được kiểm tra lại khi hạn mức hồi phục.",
                "Bytes that looks may use at once. At 0 the camera waits until the budget grows back.",
            ),
        )
        .at(16, 30, 8, 8)
        .over_time(&of("camhealth_camera_budget_left_bytes"), "{{camera}}")
        .unit("decbytes"),
        Panel::table(
            say.of("Thiết bị", "Device"),
            say.of("Thiết bị tự khai qua ONVIF.", "What the device says of itself over ONVIF."),
        )
        .at(0, 38, 24, 5)
        .rows(&of("camhealth_camera_device_info"))
        .columns(&[
            ("camera", "Camera"),
            ("manufacturer", say.of("Hãng", "Make")),
            ("model", say.of("Kiểu máy", "Model")),
            ("firmware", "Firmware"),
        ]),
    ];
    let cameras = "label_values(camhealth_camera_info{instance=~\"$instance\", kind=~\"$kind\", link=~\"$link\", hamlet=~\"$hamlet\"}, camera)";
    let [kind, link] = kinds_and_links(say);
    Board {
        say,
        id: "camera",
        title: say.of("camhealth – Camera", "camhealth – Camera"),
        description: say.of("Một camera: đã ra sao và vì sao.", "One camera: how it fared, and why."),
        from: "now-24h",
        refresh: "30s",
        variables: vec![hamlets(say), kind, link, variable("camera", "Camera", cameras, false)],
    }
    .with(panels)
}
