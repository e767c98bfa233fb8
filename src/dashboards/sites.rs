//! Intersections: levels and views over time, the cameras behind them, and a map.

use super::grafana::{Board, GREEN, GREY, Panel, RED, Say, YELLOW, hamlets, levels, states, variable};
use serde_json::{Value, json};

pub(super) fn board(say: Say) -> Value {
    let joined =
        "* on (instance, site) group_left (name, hamlet) camhealth_site_info{hamlet=~\"$hamlet\", site=~\"$site\"}";
    let (state, camera) = (say.of("Trạng thái", "State"), say.of("Camera", "Camera"));
    let show_camera = say.link(say.of("Xem camera này", "Show this camera"), "camera", "camera", "camera");
    let panels = vec![
        Panel::timeline(
            say.of("Mức bao phủ của từng điểm", "Level of each site"),
            say.of(
                "Mức của từng điểm theo thời gian. Đỏ là mất hướng nhìn, đỏ sẫm là mù hoàn toàn.",
                "The level of each site over time. Red: a view is lost; dark red: blind.",
            ),
        )
        .at(0, 0, 24, 12)
        .over_time(&format!("site:camhealth_site_level:code{{instance=~\"$instance\"}} {joined}"), "{{name}}")
        .words(&levels(say))
        .steps(&[(0.0, GREY)])
        .link(say.series_link(say.of("Chỉ điểm này", "Only this site"), "intersections", "site")),
        Panel::timeline(
            say.of("Từng hướng nhìn", "Each view"),
            say.of(
                "Hướng nhìn nào được quan sát, khi nào. Một hướng mất khi không đủ camera nhìn thấy nó.",
                "Which view was seen when. It is lost when too few of its cameras work.",
            ),
        )
        .at(0, 12, 14, 12)
        .over_time(
            &format!(
                "sum without (state) (camhealth_view_state{{instance=~\"$instance\", state=\"lost\"}} * 0 or camhealth_view_state{{instance=~\"$instance\", state=\"unknown\"}} or camhealth_view_state{{instance=~\"$instance\", state=\"covered\"}} * 2) {joined}"
            ),
            "{{name}}: {{view}}",
        )
        .words(&[
            (2, say.of("được quan sát", "seen"), GREEN),
            (0, say.of("mất", "lost"), RED),
            (1, say.of("chưa rõ", "unknown"), GREY),
        ])
        .steps(&[(0.0, GREY)]),
        Panel::map(
            say.of("Bản đồ", "Map"),
            say.of(
                "Các điểm theo tọa độ trong cấu hình (location). Nền bản đồ cần Internet; trang /map của camhealth thì không.",
                "Sites by the coordinates of the configuration (location). The base map needs the Internet; camhealth's own /map does not.",
            ),
            say.of("Mức", "Level"),
        )
        .at(14, 12, 10, 12)
        .rows(&format!("camhealth_site_latitude_degrees{{instance=~\"$instance\"}} {joined}"))
        .rows("camhealth_site_longitude_degrees{instance=~\"$instance\"}")
        .rows("site:camhealth_site_level:code{instance=~\"$instance\"}")
        .joined_by("site")
        .columns(&[
            ("name", "name"),
            ("hamlet", say.of("Thôn", "Hamlet")),
            ("site", "site"),
            ("Value #A", "latitude"),
            ("Value #B", "longitude"),
            ("Value #C", say.of("Mức", "Level")),
        ])
        .words(&levels(say))
        .steps(&[(0.0, GREY), (1.0, "dark-red"), (2.0, RED), (3.0, YELLOW), (4.0, GREEN)])
        .field("latitude", &[("mappings", json!([])), ("decimals", json!(5))])
        .field("longitude", &[("mappings", json!([])), ("decimals", json!(5))]),
        Panel::table(
            say.of("Camera của các điểm", "Cameras of the sites"),
            say.of("Camera nhìn thấy các điểm đã chọn và trạng thái của chúng. Bấm để xem từng camera.", "Cameras that see the chosen sites, and how they are. Click for one of them."),
        )
        .at(0, 24, 14, 11)
        .rows(
            "sort(camhealth_site_camera_info{instance=~\"$instance\", site=~\"$site\", hamlet=~\"$hamlet\"} * on (instance, camera) group_left (kind) camera:camhealth_camera_state:code)",
        )
        .columns(&[("site", say.of("Điểm", "Site")), ("hamlet", say.of("Thôn", "Hamlet")), ("camera", camera), ("kind", say.of("Loại", "Kind")), ("Value", state)])
        .words(&states(say))
        .field(camera, &[("links", json!([say.link(say.of("Xem camera này", "Show this camera"), "camera", "camera", camera)]))])
        .field(state, &[("custom.cellOptions", json!({ "type": "color-background", "mode": "basic" })), ("links", json!([show_camera]))]),
        Panel::bars(
            say.of("Mức bao phủ theo thôn", "Coverage by hamlet"),
            say.of("Tỷ lệ hướng nhìn được quan sát ngay lúc này.", "Share of views that are seen now."),
        )
        .at(14, 24, 10, 11)
        .now("camhealth_hamlet_coverage_ratio{instance=~\"$instance\", hamlet=~\"$hamlet\"}", "{{hamlet}}")
        .unit("percentunit")
        .range(0.0, 1.0)
        .steps(&[(0.0, RED), (0.9, YELLOW), (0.99999, GREEN)]),
    ];
    let sites = "label_values(camhealth_site_info{instance=~\"$instance\", hamlet=~\"$hamlet\"}, site)";
    Board {
        say,
        id: "intersections",
        title: say.of("camhealth – Nút giao", "camhealth – Intersections"),
        description: say.of("Từng điểm quan sát, từng hướng nhìn.", "Each site and each view."),
        from: "now-24h",
        refresh: "30s",
        variables: vec![hamlets(say), variable("site", say.of("Điểm", "Site"), sites, true)],
    }
    .with(panels)
}
