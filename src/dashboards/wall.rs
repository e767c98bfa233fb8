//! The wall: what is seen, what is blind now and since when, and who is on call. For kiosk mode, 1080p and 4K, dark.

use super::grafana::{Board, DARK_RED, GREEN, GREY, ORANGE, Panel, RED, Say, YELLOW, hamlets, levels};
use serde_json::{Value, json};

pub(super) fn board(say: Say) -> Value {
    let site = say.of("Điểm quan sát", "Site");
    let since = say.of("Từ", "Since");
    let link_to_site = say.series_link(say.of("Xem điểm này", "Show this site"), "intersections", "site");
    let panels = vec![
        Panel::stat(
            say.of("Mức bao phủ toàn xã", "Coverage of the commune"),
            say.of(
                "Tỷ lệ hướng nhìn đang được quan sát, theo trọng số. Dưới 100 % nghĩa là có nơi không ai thấy.",
                "Share of views that are seen now, by weight. Below 100 % there is a place that nobody sees.",
            ),
        )
        .at(0, 0, 6, 6)
        .now("camhealth_coverage_ratio{instance=~\"$instance\"}", "{{instance}}")
        .unit("percentunit")
        .decimals(1)
        .steps(&[(0.0, DARK_RED), (0.8, RED), (0.95, YELLOW), (0.99999, GREEN)]),
        Panel::stat(
            say.of("Điểm mù hoàn toàn", "Blind sites"),
            say.of(
                "Số điểm không còn hướng nào được quan sát. Phải bằng 0.",
                "Sites at which no view is seen any more. It must be 0.",
            ),
        )
        .at(6, 0, 4, 6)
        .now("sum(camhealth_site_level{instance=~\"$instance\", level=\"blind\"})", "")
        .steps(&[(0.0, GREEN), (1.0, DARK_RED)]),
        Panel::stat(
            say.of("Điểm mất một phần", "Sites that lost a view"),
            say.of("Số điểm mất ít nhất một hướng nhìn.", "Sites that lost at least one view."),
        )
        .at(10, 0, 4, 6)
        .now("sum(camhealth_site_level{instance=~\"$instance\", level=\"critical\"})", "")
        .steps(&[(0.0, GREEN), (1.0, RED)]),
        Panel::stat(
            say.of("Camera công cộng hoạt động", "Public cameras that work"),
            say.of(
                "Số camera công cộng đang truyền hình, trên tổng số.",
                "Public cameras from which video arrives, and how many there are.",
            ),
        )
        .at(14, 0, 4, 6)
        .now("sum(kind:camhealth_cameras_seen:sum{instance=~\"$instance\", kind=\"public\"})", say.of("hoạt động", "work"))
        .now("sum(camhealth_cameras{instance=~\"$instance\", kind=\"public\"})", say.of("tổng", "all"))
        .option("colorMode", json!("value"))
        .steps(&[(0.0, GREEN)]),
        Panel::stat(
            say.of("Sự cố chưa ai nhận", "Incidents that nobody took on"),
            say.of(
                "Sự cố đang mở mà chưa có người nhận. Nhận bằng cách trả lời tin nhắn, nút trong thông báo hoặc trên trang sự cố.",
                "Open incidents that nobody has taken on: answer the message, press its button, or use the incident's page.",
            ),
        )
        .at(18, 0, 3, 6)
        .now("sum(camhealth_incidents_unacknowledged{instance=~\"$instance\"})", "")
        .steps(&[(0.0, GREEN), (1.0, ORANGE)]),
        Panel::stat(
            say.of("Tuổi của số liệu", "Age of the figures"),
            say.of(
                "Số liệu trên màn hình cũ bao lâu. Trên một phút: bộ giám sát có vấn đề, đừng tin màn hình này.",
                "How old what you see is. Above a minute the monitor is in trouble: do not trust this wall.",
            ),
        )
        .at(21, 0, 3, 3)
        .now("max(time() - camhealth_snapshot_timestamp_seconds{instance=~\"$instance\"})", "")
        .unit("s")
        .decimals(0)
        .steps(&[(0.0, GREEN), (30.0, YELLOW), (60.0, RED)]),
        Panel::stat(
            say.of("Đang trực", "On call"),
            say.of("Cán bộ trực theo lịch.", "Who answers now, by the roster."),
        )
        .at(21, 3, 3, 3)
        .now("camhealth_on_call_info{instance=~\"$instance\"}", "{{name}}")
        .option("textMode", json!("name"))
        .option("colorMode", json!("none"))
        .steps(&[(0.0, GREY)]),
        Panel::stat(
            say.of("Nút giao và điểm quan sát", "Intersections and sites"),
            say.of(
                "Mỗi ô là một điểm: đủ, giảm (thiếu camera nhưng còn thấy hết), nguy cấp (mất hướng), mù hoàn toàn. Bấm để xem chi tiết.",
                "A tile for each site: full, reduced (a camera is missing, all is seen), critical (a view is lost), blind. Click for more.",
            ),
        )
        .at(0, 6, 24, 11)
        .now(
            "sort(site:camhealth_site_level:code{instance=~\"$instance\"} * on (instance, site) group_left (name, hamlet) camhealth_site_info{hamlet=~\"$hamlet\"})",
            "{{name}}",
        )
        .option("textMode", json!("value_and_name"))
        .words(&levels(say))
        .steps(&[(0.0, GREY)])
        .link(link_to_site),
        Panel::table(
            say.of("Đang mất hướng nhìn", "What is not seen now"),
            say.of(
                "Những điểm đang mất hướng nhìn và từ khi nào, lâu nhất ở trên. Trống là tốt.",
                "Sites with a view lost and since when, the longest first. Empty is good.",
            ),
        )
        .at(0, 17, 10, 9)
        .rows(
            "sort(camhealth_site_level_since_timestamp_seconds{instance=~\"$instance\"} * 1000 * on (instance, site) group_right () (camhealth_site_level{level=~\"blind|critical\"} == 1) * on (instance, site) group_left (name, hamlet) camhealth_site_info{hamlet=~\"$hamlet\"})",
        )
        .columns(&[("name", site), ("hamlet", say.of("Thôn", "Hamlet")), ("level", say.of("Mức", "Level")), ("Value", since)])
        .field(since, &[("unit", json!("dateTimeFromNow"))])
        .field(
            say.of("Mức", "Level"),
            &[(
                "mappings",
                json!([{ "type": "value", "options": {
                    "blind": { "text": levels(say)[3].1, "color": DARK_RED, "index": 0 },
                    "critical": { "text": levels(say)[2].1, "color": RED, "index": 1 },
                } }]),
            ), ("custom.cellOptions", json!({ "type": "color-background", "mode": "basic" }))],
        ),
        Panel::table(
            say.of("Đường truyền đang mất", "Links that are down"),
            say.of(
                "Một đường truyền mất kéo theo các camera phía sau; sửa đường truyền trước.",
                "A link takes down what hangs on it: mend it first.",
            ),
        )
        .at(10, 17, 6, 9)
        .rows(
            "camhealth_link_state_since_timestamp_seconds{instance=~\"$instance\"} * 1000 * on (instance, link) group_right () (camhealth_link_state{state=\"down\"} == 1) * on (instance, link) group_left (name) camhealth_link_info",
        )
        .columns(&[("name", say.of("Đường truyền", "Link")), ("Value", since)])
        .field(since, &[("unit", json!("dateTimeFromNow"))]),
        Panel::lines(
            say.of("Mức bao phủ theo thôn", "Coverage by hamlet"),
            say.of(
                "Tỷ lệ hướng nhìn được quan sát của từng thôn. Vạch đỏ: sự cố; cam: mất đường truyền; xanh: bảo trì.",
                "Share of views that are seen, by hamlet. Marks: red incidents, orange links, blue maintenance.",
            ),
        )
        .at(16, 17, 8, 9)
        .over_time("camhealth_hamlet_coverage_ratio{instance=~\"$instance\", hamlet=~\"$hamlet\"}", "{{hamlet}}")
        .unit("percentunit")
        .range(0.0, 1.0),
    ];
    Board {
        say,
        id: "wall",
        title: say.of("camhealth – Màn hình giám sát", "camhealth – Wall"),
        description: say.of(
            "Màn hình trực ban: mở với ?kiosk. Chỉ tình trạng thiết bị, không có hình ảnh.",
            "For the duty room: open it with ?kiosk. Device status only, no picture.",
        ),
        from: "now-6h",
        refresh: "10s",
        variables: vec![hamlets(say)],
    }
    .with(panels)
}
