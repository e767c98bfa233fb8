//! The province: its communes as tiles, the worst first, from each to its wall; and the machines that watch them.

use super::grafana::{Board, DARK_RED, GREEN, GREY, ORANGE, Panel, RED, Say, YELLOW};
use serde_json::{Value, json};

/// Joins a commune's name to what has its id.
const NAMED: &str = "* on (commune) group_left (name) max by (commune, name) (camhealth_province_commune_info)";

pub(super) fn board(say: Say) -> Value {
    let to_wall = say.commune_link(say.of("Mở màn hình của xã", "Open the commune's wall"));
    let coverage = [(0.0, DARK_RED), (0.8, RED), (0.95, YELLOW), (0.99999, GREEN)];
    let commune = say.of("Xã", "Commune");
    let panels = vec![
        Panel::stat(
            say.of("Mức bao phủ toàn tỉnh", "Coverage of the province"),
            say.of(
                "Tỷ lệ hướng nhìn đang được quan sát ở tất cả các xã.",
                "Share of views that are seen now, in all communes.",
            ),
        )
        .at(0, 0, 5, 5)
        .now("province:camhealth_coverage:ratio", "")
        .unit("percentunit")
        .decimals(1)
        .steps(&coverage),
        Panel::stat(
            say.of("Xã có điểm mù", "Communes with a blind site"),
            say.of(
                "Số xã có ít nhất một điểm không còn hướng nào được quan sát. Phải bằng 0.",
                "Communes with at least one site at which no view is seen any more. It must be 0.",
            ),
        )
        .at(5, 0, 4, 5)
        .now("count(commune:camhealth_sites:sum{level=\"blind\"} > 0) or vector(0)", "")
        .steps(&[(0.0, GREEN), (1.0, DARK_RED)]),
        Panel::stat(
            say.of("Điểm mù hoàn toàn", "Blind sites"),
            say.of("Trong toàn tỉnh. Phải bằng 0.", "In the whole province. It must be 0."),
        )
        .at(9, 0, 4, 5)
        .now("sum(province:camhealth_sites:sum{level=\"blind\"})", "")
        .steps(&[(0.0, GREEN), (1.0, DARK_RED)]),
        Panel::stat(
            say.of("Camera công cộng hoạt động", "Public cameras that work"),
            say.of(
                "Số camera công cộng đang truyền hình, trên tổng số.",
                "Public cameras from which video arrives, and how many there are.",
            ),
        )
        .at(13, 0, 4, 5)
        .now(
            "sum(province:camhealth_cameras:sum{kind=\"public\", state=~\"up|degraded\"})",
            say.of("hoạt động", "work"),
        )
        .now("sum(province:camhealth_cameras:sum{kind=\"public\"})", say.of("tổng", "all"))
        .option("colorMode", json!("value"))
        .steps(&[(0.0, GREEN)]),
        Panel::stat(
            say.of("Xã không ai theo dõi", "Communes that nobody watches"),
            say.of(
                "Máy giữ xã đã mất và chưa máy nào tiếp quản. Phải bằng 0; xem camhealth province status.",
                "Their machine is gone and no other took them over. It must be 0: see camhealth province status.",
            ),
        )
        .at(17, 0, 3, 5)
        .now("max(camhealth_province_communes_unheld and camhealth_province_roll_fresh == 1)", "")
        .steps(&[(0.0, GREEN), (1.0, DARK_RED)]),
        Panel::stat(
            say.of("Máy", "Machines"),
            say.of(
                "Các máy chia nhau theo dõi các xã. Một máy mất thì máy khác tiếp quản.",
                "The machines that share the communes. Where one is gone others take over.",
            ),
        )
        .at(20, 0, 4, 5)
        .now("max by (member) (camhealth_province_member_up)", "{{member}}")
        .option("textMode", json!("value_and_name"))
        .words(&[(0, say.of("mất", "gone"), DARK_RED), (1, say.of("chạy", "runs"), GREEN)])
        .steps(&[(0.0, GREY)]),
        Panel::stat(
            say.of("Các xã, kém nhất trước", "The communes, the worst first"),
            say.of(
                "Mỗi ô là một xã và tỷ lệ hướng nhìn đang được quan sát. Bấm để mở màn hình của xã.",
                "A tile for each commune with the share of its views that are seen now. Click for its wall.",
            ),
        )
        .at(0, 5, 24, 12)
        .now(&format!("sort(camhealth_coverage_ratio{{instance=~\"$instance\"}} {NAMED})"), "{{name}}")
        .option("textMode", json!("value_and_name"))
        .unit("percentunit")
        .decimals(0)
        .steps(&coverage)
        .link(to_wall),
        Panel::bars(
            say.of("Sự cố chưa ai nhận", "Incidents that nobody took on"),
            say.of("Mười xã có nhiều nhất.", "The ten communes with the most."),
        )
        .at(0, 17, 8, 9)
        .now(&format!("topk(10, camhealth_incidents_unacknowledged{{instance=~\"$instance\"}} {NAMED})"), "{{name}}")
        .steps(&[(0.0, GREEN), (1.0, ORANGE), (5.0, RED)]),
        Panel::table(
            say.of("Máy nào giữ xã nào", "Which machine holds which commune"),
            say.of("Theo sổ chung của tỉnh.", "By the province's roll."),
        )
        .at(8, 17, 8, 9)
        .rows("max by (name, commune, holder) (camhealth_province_commune_info)")
        .columns(&[("name", commune), ("commune", say.of("Mã", "Id")), ("holder", say.of("Máy", "Machine"))]),
        Panel::lines(
            say.of("Mười xã kém nhất", "The ten worst communes"),
            say.of("Mức bao phủ theo thời gian.", "Their coverage over time."),
        )
        .at(16, 17, 8, 9)
        .over_time(&format!("bottomk(10, camhealth_coverage_ratio{{instance=~\"$instance\"}} {NAMED})"), "{{name}}")
        .unit("percentunit")
        .range(0.0, 1.0),
    ];
    Board {
        say,
        id: "province",
        title: say.of("camhealth – Toàn tỉnh", "camhealth – Province"),
        description: say.of(
            "Các xã của tỉnh và các máy theo dõi chúng. Chỉ tình trạng thiết bị, không có hình ảnh.",
            "The province's communes and the machines that watch them. Device status only, no picture.",
        ),
        from: "now-6h",
        refresh: "30s",
        variables: Vec::new(),
    }
    .with(panels)
}
