//! camhealth itself: is it in time, does it reach people, does its disk hold.

use super::grafana::{Board, GREEN, GREY, Panel, RED, Say, YELLOW};
use serde_json::{Value, json};

pub(super) fn board(say: Say) -> Value {
    let of = |metric: &str| format!("{metric}{{instance=~\"$instance\"}}");
    let rate = |metric: &str| format!("rate({metric}{{instance=~\"$instance\"}}[$__rate_interval])");
    let quantile = |metric: &str, by: &str| {
        format!(
            "histogram_quantile(0.99, sum by (le{by}) (rate({metric}_bucket{{instance=~\"$instance\"}}[$__rate_interval])))"
        )
    };
    let panels = vec![
        Panel::stat(say.of("Phiên bản", "Version"), say.of("Phiên bản đang chạy.", "The version that runs."))
            .at(0, 0, 3, 4)
            .now(&of("camhealth_build_info"), "{{version}}")
            .option("textMode", json!("name"))
            .option("colorMode", json!("none"))
            .steps(&[(0.0, GREY)]),
        Panel::stat(
            say.of("Giám sát", "Watching"),
            say.of(
                "Mọi phần của bộ giám sát có làm việc và ghi nhớ được không; /-/healthy nói rõ.",
                "Whether every part gets on with its work and remembers it; /-/healthy says more.",
            ),
        )
        .at(3, 0, 3, 4)
        .now(&of("camhealth_watching"), "")
        .words(&[(1, say.of("hoạt động", "works"), GREEN), (0, say.of("KHÔNG", "NOT"), RED)])
        .steps(&[(0.0, RED), (1.0, GREEN)]),
        Panel::stat(
            say.of("Cấu hình", "Configuration"),
            say.of("Lần nạp lại gần nhất có được chấp nhận không.", "Whether the last reload was accepted."),
        )
        .at(6, 0, 3, 4)
        .now(&of("camhealth_config_last_reload_successful"), "")
        .words(&[(1, say.of("tốt", "good"), GREEN), (0, say.of("bị từ chối", "refused"), RED)])
        .steps(&[(0.0, RED), (1.0, GREEN)]),
        Panel::stat(
            say.of("Mạng của máy giám sát", "The monitor's network"),
            say.of("Máy giám sát có bị cắt khỏi mọi camera không.", "Whether the monitor is cut off from all cameras."),
        )
        .at(9, 0, 3, 4)
        .now(&of("camhealth_monitor_cut_off"), "")
        .words(&[(0, say.of("thông", "works"), GREEN), (1, say.of("mất", "cut off"), RED)])
        .steps(&[(0.0, GREEN), (1.0, RED)]),
        Panel::stat(
            say.of("Tin chờ gửi", "Messages that wait"),
            say.of(
                "Tin nhắn trong hàng đợi. Khác 0 lâu: xem kênh nào lỗi.",
                "Messages in the outbox. If it stays above 0, see which channel fails.",
            ),
        )
        .at(12, 0, 4, 4)
        .now(&of("camhealth_notices_pending"), "")
        .steps(&[(0.0, GREEN), (1.0, YELLOW), (20.0, RED)]),
        Panel::stat(
            say.of("Nhịp báo ra ngoài", "Heartbeat"),
            say.of(
                "Nhịp gửi ra bên ngoài có được nhận không; 0 cả khi chưa cấu hình.",
                "Whether the outside watcher takes the heartbeat; 0 too while none is configured.",
            ),
        )
        .at(16, 0, 4, 4)
        .now(&of("camhealth_heartbeat_successful"), "")
        .words(&[(1, say.of("được nhận", "taken"), GREEN), (0, say.of("không", "not taken"), GREY)])
        .steps(&[(0.0, GREY), (1.0, GREEN)]),
        Panel::stat(
            say.of("Lỗi ghi nhật ký", "Journal errors"),
            say.of(
                "Lần ghi nhật ký bị lỗi trong khoảng đã chọn. Khi không ghi được thì không báo được.",
                "Writes that failed in the span shown. Nothing is told that cannot be written.",
            ),
        )
        .at(20, 0, 4, 4)
        .now(&format!("increase({}[$__range])", of("camhealth_journal_errors_total")), "")
        .decimals(0)
        .steps(&[(0.0, GREEN), (1.0, RED)]),
        Panel::lines(
            say.of("Trễ kiểm tra", "Lag of looks"),
            say.of(
                "Lần kiểm tra quá hạn nhất trễ bao lâu. Kết luận trễ bấy nhiêu.",
                "How late the most overdue look is. Verdicts come late by as much.",
            ),
        )
        .at(0, 4, 8, 8)
        .over_time(&of("camhealth_probe_lag_seconds"), "{{instance}}")
        .unit("s"),
        Panel::lines(
            say.of("Đang kiểm tra", "Looks under way"),
            say.of(
                "Số lần kiểm tra cùng lúc, và số kết quả chờ xử lý.",
                "Looks at the same time, and results that wait.",
            ),
        )
        .at(8, 4, 8, 8)
        .over_time(&of("camhealth_probes_in_flight"), say.of("đang kiểm tra", "under way"))
        .over_time(&of("camhealth_event_queue_used"), say.of("kết quả chờ", "results that wait"))
        .decimals(0),
        Panel::lines(
            say.of("Thời gian kiểm tra (99 %)", "Time of looks (99 %)"),
            say.of(
                "99 % số lần kiểm tra xong trong thời gian này, theo loại.",
                "99 % of looks are done in this time, by depth.",
            ),
        )
        .at(16, 4, 8, 8)
        .over_time(&quantile("camhealth_probe_duration_seconds", ", check"), "{{check}}")
        .unit("s"),
        Panel::lines(say.of("Kiểm tra mỗi giây", "Looks a second"), say.of("Theo loại.", "By depth."))
            .at(0, 12, 8, 8)
            .over_time(&format!("sum by (check) ({})", rate("camhealth_probe_duration_seconds_count")), "{{check}}")
            .unit("ops"),
        Panel::lines(
            say.of("Bị giữ lại", "Held back"),
            say.of(
                "Lần kiểm tra tới hạn mà phải chờ, theo lý do: giờ chủ hộ, hạn mức, đăng nhập, tới lượt.",
                "Looks that were due and had to wait, by reason: owners' hours, budgets, logins, turns.",
            ),
        )
        .at(8, 12, 8, 8)
        .over_time(&format!("sum by (reason) ({})", rate("camhealth_probes_held_total")), "{{reason}}")
        .unit("ops"),
        Panel::bars(
            say.of("Hạn mức gần cạn nhất", "Budgets that are nearest to empty"),
            say.of(
                "Phần còn dùng được ngay trong hạn mức byte của camera, ít nhất ở trên.",
                "What is left at once of cameras' bytes, the least first.",
            ),
        )
        .at(16, 12, 8, 8)
        .now(
            &format!(
                "sort(bottomk(10, {} / {}))",
                of("camhealth_camera_budget_left_bytes"),
                of("camhealth_camera_budget_bytes")
            ),
            "{{camera}}",
        )
        .unit("percentunit")
        .range(0.0, 0.125)
        .steps(&[(0.0, RED), (0.02, YELLOW), (0.05, GREEN)]),
        Panel::lines(say.of("Tin đã gửi và lỗi", "Messages sent and failed"), say.of("Theo kênh.", "By channel."))
            .at(0, 20, 8, 8)
            .over_time(
                &format!("increase({}[$__rate_interval])", of("camhealth_notices_sent_total")),
                say.of("{{channel}} đã gửi", "{{channel}} sent"),
            )
            .over_time(
                &format!("increase({}[$__rate_interval])", of("camhealth_notice_failures_total")),
                say.of("{{channel}} lỗi", "{{channel}} failed"),
            )
            .decimals(0),
        Panel::table(
            say.of("Kênh", "Channels"),
            say.of(
                "Mỗi kênh gửi được lần cuối khi nào; 1970 là chưa lần nào từ khi khởi động.",
                "When each channel last took something; 1970 is never since the start.",
            ),
        )
        .at(8, 20, 8, 8)
        .rows(&format!("{} * 1000", of("camhealth_channel_last_success_timestamp_seconds")))
        .columns(&[("channel", say.of("Kênh", "Channel")), ("Value", say.of("Gửi được lần cuối", "Last success"))])
        .field(say.of("Gửi được lần cuối", "Last success"), &[("unit", json!("dateTimeAsIso"))]),
        Panel::lines(
            say.of("Ghi nhật ký (99 %)", "Journal commits (99 %)"),
            say.of(
                "99 % số lần ghi xuống đĩa xong trong thời gian này.",
                "99 % of durable writes are done in this time.",
            ),
        )
        .at(16, 20, 8, 8)
        .over_time(&quantile("camhealth_journal_commit_duration_seconds", ""), "99 %")
        .unit("s"),
        Panel::lines(say.of("CPU", "CPU"), say.of("Phần của một lõi.", "Share of one core."))
            .at(0, 28, 8, 8)
            .over_time(
                "rate(process_cpu_seconds_total{job=\"camhealth\", instance=~\"$instance\"}[$__rate_interval])",
                "{{instance}}",
            )
            .unit("percentunit"),
        Panel::lines(
            say.of("Bộ nhớ", "Memory"),
            say.of("Bộ nhớ của tiến trình chính.", "Resident memory of the main process."),
        )
        .at(8, 28, 8, 8)
        .over_time("process_resident_memory_bytes{job=\"camhealth\", instance=~\"$instance\"}", "{{instance}}")
        .unit("bytes"),
        Panel::lines(
            say.of("Tiến trình con bị kết thúc", "Worker deaths"),
            say.of(
                "Tiến trình kiểm tra đã chết, theo nguyên nhân; killed và gave_up là do máy này, không do camera.",
                "Worker processes that died, by cause; killed and gave_up are this machine's doing, not a camera's.",
            ),
        )
        .at(16, 28, 8, 8)
        .over_time(
            &format!("sum by (cause) (increase({}[$__rate_interval]))", of("camhealth_probe_worker_deaths_total")),
            "{{cause}}",
        )
        .decimals(0),
    ];
    Board {
        say,
        id: "own",
        title: say.of("camhealth – Chính nó", "camhealth – Itself"),
        description: say.of(
            "Bộ giám sát có kịp giờ, có báo được, có ghi được không.",
            "Is the monitor in time, does it reach people, can it write.",
        ),
        from: "now-6h",
        refresh: "30s",
        variables: Vec::new(),
    }
    .with(panels)
}
