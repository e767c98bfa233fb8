//! For the contractor: what was agreed, what was kept, and what to mend first.

use super::grafana::{Board, GREEN, GREY, Panel, RED, Say, YELLOW, hamlets, kinds_and_links};
use serde_json::{Value, json};

/// Seconds between two points of the recorded series: the interval of their group in camhealth.rules.yml.
const STEP: u32 = 30;

pub(super) fn board(say: Say) -> Value {
    let chosen = "* on (instance, camera) group_left (name, link, hamlet) camhealth_camera_info{kind=~\"$kind\", link=~\"$link\", hamlet=~\"$hamlet\"}";
    let sum = |series: &str| {
        format!(
            "sum_over_time(camera:camhealth_camera_{series}:sum{{instance=~\"$instance\", kind=~\"$kind\"}}[$__range]) {chosen}"
        )
    };
    let (seen, counted) = (sum("seen"), sum("counted"));
    let failures = format!(
        "resets(camera:camhealth_camera_seen:sum{{instance=~\"$instance\", kind=~\"$kind\"}}[$__range]) {chosen}"
    );
    let each = format!("({seen}) / ({counted})");
    let by = |labels: &str| format!("sum by ({labels}) ({seen}) / sum by ({labels}) ({counted})");
    let make = "* on (instance, camera) group_left (manufacturer, model) camhealth_camera_device_info";
    let by_make =
        format!("sort(sum by (manufacturer, model) ({seen} {make}) / sum by (manufacturer, model) ({counted} {make}))");
    let span = say.of(
        "Tính trên khoảng thời gian đã chọn; bảo trì và lúc không đo được không tính. Báo cáo có giá trị đối chiếu là camhealth report.",
        "Over the span shown; maintenance and what was not seen are left out. The figures to settle by are those of camhealth report.",
    );
    let (availability, count, camera) =
        (say.of("Sẵn sàng", "Availability"), say.of("Số lần hỏng", "Failures"), say.of("Camera", "Camera"));
    let (silent, clock) = (say.of("Im lặng", "Silent for"), say.of("Đồng hồ lệch", "Clock offset"));
    let agents = "instance=~\"$instance\", link=~\"$link\"";
    let target = [(0.0, RED), (0.95, YELLOW), (0.98, GREEN)];
    let panels = vec![
        Panel::stat(say.of("Mức sẵn sàng", "Availability"), span)
            .at(0, 0, 6, 5)
            .now(&format!("sum({seen}) / sum({counted})"), "")
            .unit("percentunit")
            .decimals(2)
            .steps(&target),
        Panel::stat(
            say.of("MTTR", "MTTR"),
            say.of("Thời gian khôi phục trung bình của một lần hỏng. Trống khi không có lần hỏng nào.", "Mean time to restore. Empty while nothing failed."),
        )
        .at(6, 0, 6, 5)
        .now(&format!("(sum({counted}) - sum({seen})) * {STEP} / (sum({failures}) > 0)"), "")
        .unit("s")
        .option("colorMode", json!("value"))
        .steps(&[(0.0, GREEN), (14_400.0, YELLOW), (86_400.0, RED)]),
        Panel::stat(
            say.of("MTBF", "MTBF"),
            say.of("Thời gian hoạt động trung bình của một camera giữa hai lần hỏng.", "Mean operating time of a camera between two failures."),
        )
        .at(12, 0, 6, 5)
        .now(&format!("sum({seen}) * {STEP} / (sum({failures}) > 0)"), "")
        .unit("s")
        .option("colorMode", json!("value"))
        .steps(&[(0.0, GREY)]),
        Panel::stat(say.of("Số lần hỏng", "Failures"), say.of("Số lần camera đang hoạt động thì hỏng.", "Times that a camera that worked failed."))
            .at(18, 0, 6, 5)
            .now(&format!("sum({failures})"), "")
            .option("colorMode", json!("value"))
            .steps(&[(0.0, GREY)]),
        Panel::table(
            say.of("Camera kém nhất", "Worst cameras"),
            say.of("Hai mươi camera kém nhất: danh sách việc cần làm. Bấm để xem từng camera.", "The twenty worst cameras: the list of work. Click for one of them."),
        )
        .at(0, 5, 12, 12)
        .rows(&format!("bottomk(20, {each})"))
        .rows(&format!("sum by (camera) ({failures})"))
        .joined_by("camera")
        .columns(&[("camera", camera), ("name", say.of("Tên", "Name")), ("link", say.of("Đường truyền", "Link")), ("Value #A", availability), ("Value #B", count)])
        .field(availability, &[("unit", json!("percentunit")), ("decimals", json!(2)), ("custom.cellOptions", json!({ "type": "color-text" }))])
        .field(camera, &[("links", json!([say.link(say.of("Xem camera này", "Show this camera"), "camera", "camera", camera)]))])
        .option("sortBy", json!([{ "displayName": availability, "desc": false }]))
        .steps(&target),
        Panel::bars(say.of("Theo đường truyền", "By link"), span)
            .at(12, 5, 6, 12)
            .now(&format!("sort({})", by("link")), "{{link}}")
            .unit("percentunit")
            .decimals(2)
            .range(0.9, 1.0)
            .steps(&target),
        Panel::bars(say.of("Theo hãng và kiểu máy", "By make and model"), span)
            .at(18, 5, 6, 12)
            .now(&by_make, "{{manufacturer}} {{model}}")
            .unit("percentunit")
            .decimals(2)
            .range(0.9, 1.0)
            .steps(&target),
        Panel::lines(
            say.of("Tốc độ tiêu hao cam kết", "Burn rate of what was agreed"),
            say.of("1 nghĩa là đúng mức cam kết 98 %; 6 nghĩa là hết hạn mức của tháng trong 5 ngày.", "1 is exactly the agreed 98 %; at 6 the month's budget lasts five days."),
        )
        .at(0, 17, 12, 9)
        .over_time("kind:camhealth_camera_errors:ratio_rate1h{instance=~\"$instance\", kind=~\"$kind\"} / (1 - 0.98)", "{{kind}} 1 h")
        .over_time("kind:camhealth_camera_errors:ratio_rate6h{instance=~\"$instance\", kind=~\"$kind\"} / (1 - 0.98)", "{{kind}} 6 h")
        .over_time("kind:camhealth_camera_errors:ratio_rate3d{instance=~\"$instance\", kind=~\"$kind\"} / (1 - 0.98)", "{{kind}} 3 d")
        .decimals(1),
        Panel::lines(
            say.of("Nguyên nhân", "Causes"),
            say.of("Số camera không tốt theo nguyên nhân.", "Cameras that are not well, by cause."),
        )
        .at(12, 17, 12, 9)
        .over_time("sum by (cause) (camhealth_camera_failure{instance=~\"$instance\", kind=~\"$kind\"})", "{{cause}}")
        .decimals(0),
        Panel::timeline(
            say.of("Đường truyền", "Links"),
            say.of("Đường truyền thông hay mất.", "Links up and down."),
        )
        .at(0, 26, 12, 10)
        .over_time("camhealth_link_state{instance=~\"$instance\", state=\"up\", link=~\"$link\"} * on (instance, link) group_left (name) camhealth_link_info", "{{name}}")
        .words(&[(1, say.of("thông", "up"), GREEN), (0, say.of("mất hoặc chưa rõ", "down or unknown"), RED)])
        .steps(&[(0.0, GREY)]),
        Panel::table(
            say.of("Phần mềm thiết bị", "Firmware"),
            say.of("Số thiết bị theo hãng, kiểu máy và phiên bản phần mềm.", "Devices by make, model and firmware."),
        )
        .at(12, 26, 12, 10)
        .rows("count by (manufacturer, model, firmware) (camhealth_camera_device_info{instance=~\"$instance\"})")
        .columns(&[("manufacturer", say.of("Hãng", "Make")), ("model", say.of("Kiểu máy", "Model")), ("firmware", "Firmware"), ("Value", say.of("Số lượng", "Count"))]),
        Panel::table(
            say.of("Hộp theo dõi", "Agents"),
            say.of(
                "Máy nhỏ đặt trong nhà dân: im lặng bao lâu, còn bao nhiêu kết quả chờ gửi, đồng hồ lệch, phiên bản.",
                "Small computers in houses: for how long each is silent, what waits with it, its clock, its version.",
            ),
        )
        .at(0, 36, 24, 8)
        .rows(&format!("(time() - (camhealth_agent_last_contact_timestamp_seconds{{{agents}}} > 0)) * on (instance, link) group_left (name) camhealth_link_info"))
        .rows(&format!("sum by (link) (camhealth_agent_backlog_looks{{{agents}}})"))
        .rows(&format!("sum by (link) (camhealth_agent_dropped_looks{{{agents}}})"))
        .rows(&format!("max by (link) (camhealth_agent_clock_offset_seconds{{{agents}}})"))
        .rows(&format!("max by (link, version, fits) (camhealth_agent_info{{{agents}}})"))
        .joined_by("link")
        .columns(&[
            ("link", say.of("Đường truyền", "Link")),
            ("name", say.of("Tên", "Name")),
            ("Value #A", silent),
            ("Value #B", say.of("Chờ gửi", "Waiting")),
            ("Value #C", say.of("Đã bỏ", "Given up")),
            ("Value #D", clock),
            ("version", say.of("Phiên bản", "Version")),
            ("fits", say.of("So với máy chủ", "Fits")),
        ])
        .field(silent, &[("unit", json!("s")), ("decimals", json!(0))])
        .field(clock, &[("unit", json!("s")), ("decimals", json!(1))])
        .steps(&[(0.0, GREY)]),
    ];
    let [kind, link] = kinds_and_links(say);
    Board {
        say,
        id: "contractor",
        title: say.of("camhealth – Nhà thầu", "camhealth – Contractor"),
        description: say
            .of("Mức sẵn sàng theo camera, hãng và đường truyền.", "Availability by camera, make and link."),
        from: "now-7d",
        refresh: "5m",
        variables: vec![hamlets(say), kind, link],
    }
    .with(panels)
}
