//! Builders for Grafana's dashboard model: boards, variables, panels.

use crate::model::Language;
use serde_json::{Value, json};

/// What is said in a language, and how its boards are called.
#[derive(Clone, Copy)]
pub(super) struct Say(pub(super) Language);

impl Say {
    pub(super) fn of(self, vietnamese: &'static str, english: &'static str) -> &'static str {
        self.0.pick(vietnamese, english)
    }

    fn lang(self) -> &'static str {
        self.0.as_str()
    }

    /// The uid of a board of this language.
    pub(super) fn uid(self, board: &str) -> String {
        format!("camhealth-{board}-{}", self.lang())
    }

    /// A link from a field of a table to a board, with a variable taken from the row.
    pub(super) fn link(self, title: &str, board: &str, variable: &str, field: &str) -> Value {
        self.to(title, board, variable, &format!("__data.fields.{field}"))
    }

    /// The same from a series, whose label it takes.
    pub(super) fn series_link(self, title: &str, board: &str, label: &str) -> Value {
        self.to(title, board, label, &format!("__field.labels.{label}"))
    }

    /// A link from a series to its commune's wall, whichever communes were chosen.
    pub(super) fn commune_link(self, title: &str) -> Value {
        let wall = self.uid("wall");
        let url = format!("/d/{wall}?${{datasource:queryparam}}&var-instance=${{__field.labels.instance}}");
        json!({ "title": title, "url": url })
    }

    fn to(self, title: &str, board: &str, variable: &str, value: &str) -> Value {
        let uid = self.uid(board);
        let chosen = "${datasource:queryparam}&${instance:queryparam}";
        json!({ "title": title, "url": format!("/d/{uid}?{chosen}&var-{variable}=${{{value}}}") })
    }
}

/// What a board is.
pub(super) struct Board {
    pub(super) say: Say,
    /// The end of its uid.
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) description: &'static str,
    /// The span of time that it opens with, such as `now-24h`.
    pub(super) from: &'static str,
    pub(super) refresh: &'static str,
    pub(super) variables: Vec<Value>,
}

impl Board {
    /// The board with its panels, numbered in order.
    pub(super) fn with(self, panels: Vec<Panel>) -> Value {
        let say = self.say;
        let panels: Vec<Value> = (1..).zip(panels).map(|(id, panel)| panel.build(id)).collect();
        let mut variables = vec![
            json!({
                "type": "datasource", "name": "datasource", "label": say.of("Nguồn dữ liệu", "Data source"),
                "query": "prometheus", "refresh": 1, "regex": "", "hide": 0,
                "current": { "text": "camhealth", "value": "camhealth" }, "options": [], "multi": false, "includeAll": false,
            }),
            variable("instance", say.of("Xã", "Commune"), "label_values(camhealth_build_info, instance)", true),
        ];
        variables.extend(self.variables);
        let tag = format!("camhealth-{}", say.lang());
        json!({
            "uid": say.uid(self.id),
            "title": self.title,
            "description": self.description,
            "tags": ["camhealth", tag],
            "timezone": "Asia/Ho_Chi_Minh",
            "editable": true,
            "graphTooltip": 1,
            "schemaVersion": 39,
            "version": 1,
            "refresh": self.refresh,
            "time": { "from": self.from, "to": "now" },
            "timepicker": {},
            "links": [{
                "type": "dashboards", "tags": [tag], "title": "camhealth", "asDropdown": false, "icon": "external link",
                "includeVars": true, "keepTime": true, "targetBlank": false, "tooltip": "", "url": "",
            }],
            "templating": { "list": variables },
            "annotations": { "list": annotations(say) },
            "panels": panels,
        })
    }
}

fn annotations(say: Say) -> Vec<Value> {
    let each = |name: &str, colour: &str, expr: &str, title: &str| {
        json!({
            "name": name, "datasource": source(), "enable": true, "hide": false, "iconColor": colour,
            "expr": expr, "titleFormat": title, "textFormat": name, "tagKeys": "", "step": "30s", "useValueForTime": false,
        })
    };
    vec![
        each(
            say.of("Sự cố tại điểm", "Incidents of sites"),
            "red",
            "camhealth_site_incident_open{instance=~\"$instance\"} * on (instance, site) group_left (name) camhealth_site_info == 1",
            "{{name}}",
        ),
        each(
            say.of("Mất đường truyền", "Links down"),
            "orange",
            "camhealth_link_state{instance=~\"$instance\", state=\"down\"} * on (instance, link) group_left (name) camhealth_link_info == 1",
            "{{name}}",
        ),
        each(
            say.of("Bảo trì", "Maintenance"),
            "blue",
            "camhealth_maintenance_info{instance=~\"$instance\"} == 1",
            "{{scope}} {{subject}}",
        ),
    ]
}

/// A variable whose values Prometheus knows; with `all` several can be chosen, and all are at first.
pub(super) fn variable(name: &str, label: &str, query: &str, all: bool) -> Value {
    let mut variable = json!({
        "type": "query", "name": name, "label": label, "datasource": source(),
        "query": { "query": query, "refId": name }, "refresh": 2, "regex": "", "sort": 1, "hide": 0,
        "multi": all, "includeAll": all, "options": [],
    });
    if all {
        variable["allValue"] = json!(".*");
        variable["current"] = json!({ "text": ["All"], "value": ["$__all"] });
    }
    variable
}

/// The variable by which sites are chosen.
pub(super) fn hamlets(say: Say) -> Value {
    let query = "label_values(camhealth_site_info{instance=~\"$instance\"}, hamlet)";
    variable("hamlet", say.of("Thôn", "Hamlet"), query, true)
}

/// The variables by which cameras are chosen.
pub(super) fn kinds_and_links(say: Say) -> [Value; 2] {
    let of = |label: &str| format!("label_values(camhealth_camera_info{{instance=~\"$instance\"}}, {label})");
    [
        variable("kind", say.of("Loại", "Kind"), &of("kind"), true),
        variable("link", say.of("Đường truyền", "Link"), &of("link"), true),
    ]
}

fn source() -> Value {
    json!({ "type": "prometheus", "uid": "${datasource}" })
}

/// A panel in the making.
pub(super) struct Panel {
    kind: &'static str,
    title: String,
    description: String,
    place: [u32; 4],
    targets: Vec<Value>,
    defaults: Value,
    overrides: Vec<Value>,
    options: Value,
    transformations: Vec<Value>,
}

/// Colours of thresholds and of mapped values.
pub(super) const GREEN: &str = "green";
pub(super) const YELLOW: &str = "yellow";
pub(super) const ORANGE: &str = "orange";
pub(super) const RED: &str = "red";
pub(super) const DARK_RED: &str = "dark-red";
pub(super) const GREY: &str = "#6e7681";
pub(super) const BLUE: &str = "blue";

impl Panel {
    fn new(kind: &'static str, title: &str, description: &str, options: Value) -> Self {
        Self {
            kind,
            title: title.to_owned(),
            description: description.to_owned(),
            place: [0, 0, 8, 8],
            targets: Vec::new(),
            defaults: json!({ "custom": {}, "mappings": [] }),
            overrides: Vec::new(),
            options,
            transformations: Vec::new(),
        }
    }

    /// One or a few large figures.
    pub(super) fn stat(title: &str, description: &str) -> Self {
        let options = json!({
            "reduceOptions": { "values": false, "calcs": ["lastNotNull"], "fields": "" }, "orientation": "auto",
            "textMode": "auto", "colorMode": "background", "graphMode": "none", "justifyMode": "auto",
            "wideLayout": true, "showPercentChange": false, "percentChangeColorMode": "standard",
        });
        Self::new("stat", title, description, options).colour("thresholds")
    }

    /// Lines over time.
    pub(super) fn lines(title: &str, description: &str) -> Self {
        let options = json!({
            "legend": { "displayMode": "list", "placement": "bottom", "showLegend": true, "calcs": [] },
            "tooltip": { "mode": "multi", "sort": "desc" },
        });
        let mut panel = Self::new("timeseries", title, description, options).colour("palette-classic");
        panel.defaults["custom"] = json!({
            "drawStyle": "line", "lineInterpolation": "stepAfter", "lineWidth": 1, "fillOpacity": 8, "showPoints": "never",
            "spanNulls": false, "axisLabel": "", "axisPlacement": "auto",
        });
        panel
    }

    /// States over time, a row for each series.
    pub(super) fn timeline(title: &str, description: &str) -> Self {
        let options = json!({
            "mergeValues": true, "showValue": "never", "alignValue": "left", "rowHeight": 0.9, "perPage": 40,
            "legend": { "displayMode": "list", "placement": "bottom", "showLegend": true, "calcs": [] },
            "tooltip": { "mode": "single", "sort": "none" },
        });
        let mut panel = Self::new("state-timeline", title, description, options).colour("thresholds");
        panel.defaults["custom"] = json!({ "fillOpacity": 85, "lineWidth": 0 });
        panel
    }

    /// Rows and columns.
    pub(super) fn table(title: &str, description: &str) -> Self {
        let options = json!({ "frameIndex": 0, "showHeader": true, "cellHeight": "sm", "sortBy": [] });
        let mut panel = Self::new("table", title, description, options).colour("thresholds");
        panel.defaults["custom"] = json!({ "align": "auto", "filterable": true });
        panel
    }

    /// A bar for each series.
    pub(super) fn bars(title: &str, description: &str) -> Self {
        let options = json!({
            "reduceOptions": { "values": false, "calcs": ["lastNotNull"], "fields": "" }, "orientation": "horizontal",
            "displayMode": "basic", "valueMode": "color", "showUnfilled": true, "minVizWidth": 8, "minVizHeight": 16,
            "namePlacement": "auto", "sizing": "auto", "maxVizHeight": 300,
            "legend": { "displayMode": "list", "placement": "bottom", "showLegend": false, "calcs": [] },
        });
        Self::new("bargauge", title, description, options).colour("thresholds")
    }

    /// Points on a map, by fields named `latitude` and `longitude`.
    pub(super) fn map(title: &str, description: &str, colour_by: &str) -> Self {
        let options = json!({
            "view": { "id": "fit", "lat": 0, "lon": 0, "zoom": 15, "padding": 10, "allLayers": true },
            "controls": {
                "showZoom": true, "mouseWheelZoom": false, "showAttribution": true, "showScale": true,
                "showMeasure": false, "showDebug": false,
            },
            "basemap": { "type": "default", "name": "Basemap", "config": {} },
            "tooltip": { "mode": "details" },
            "layers": [{
                "type": "markers", "name": title, "tooltip": true,
                "location": { "mode": "coords", "latitude": "latitude", "longitude": "longitude" },
                "config": {
                    "showLegend": false,
                    "style": {
                        "size": { "fixed": 12, "min": 2, "max": 15 },
                        "color": { "field": colour_by, "fixed": "dark-green" },
                        "opacity": 0.9,
                        "text": { "field": "name", "fixed": "", "mode": "field" },
                        "textConfig": { "fontSize": 12, "offsetX": 0, "offsetY": 18, "textAlign": "center", "textBaseline": "middle" },
                    },
                },
            }],
        });
        Self::new("geomap", title, description, options).colour("thresholds")
    }

    /// Column, row, width and height in Grafana's grid of 24 columns.
    pub(super) fn at(mut self, x: u32, y: u32, w: u32, h: u32) -> Self {
        self.place = [x, y, w, h];
        self
    }

    fn target(mut self, expr: &str, legend: &str, instant: bool, format: &str) -> Self {
        let letter = char::from(b'A' + u8::try_from(self.targets.len()).unwrap_or(0));
        self.targets.push(json!({
            "refId": letter.to_string(), "datasource": source(), "expr": expr, "legendFormat": legend,
            "instant": instant, "range": !instant, "format": format, "editorMode": "code",
        }));
        self
    }

    /// A query over the span of time.
    pub(super) fn over_time(self, expr: &str, legend: &str) -> Self {
        self.target(expr, legend, false, "time_series")
    }

    /// A query for now.
    pub(super) fn now(self, expr: &str, legend: &str) -> Self {
        self.target(expr, legend, true, "time_series")
    }

    /// A query for now, as rows.
    pub(super) fn rows(self, expr: &str) -> Self {
        self.target(expr, "", true, "table")
    }

    pub(super) fn unit(mut self, unit: &str) -> Self {
        self.defaults["unit"] = json!(unit);
        self
    }

    pub(super) fn range(mut self, min: f64, max: f64) -> Self {
        self.defaults["min"] = json!(min);
        self.defaults["max"] = json!(max);
        self
    }

    pub(super) fn decimals(mut self, decimals: u32) -> Self {
        self.defaults["decimals"] = json!(decimals);
        self
    }

    fn colour(mut self, mode: &str) -> Self {
        self.defaults["color"] = json!({ "mode": mode });
        self
    }

    /// Colours from a value on; the first holds from the bottom.
    pub(super) fn steps(mut self, steps: &[(f64, &str)]) -> Self {
        let first = std::iter::once(true).chain(std::iter::repeat(false));
        let steps: Vec<Value> = first
            .zip(steps)
            .map(|(first, (value, colour))| json!({ "value": if first { Value::Null } else { json!(value) }, "color": colour }))
            .collect();
        self.defaults["thresholds"] = json!({ "mode": "absolute", "steps": steps });
        self
    }

    /// Words and colours for codes.
    pub(super) fn words(mut self, words: &[(i64, &str, &str)]) -> Self {
        let options: serde_json::Map<String, Value> = (0..)
            .zip(words)
            .map(|(index, (code, text, colour))| {
                (code.to_string(), json!({ "text": text, "color": colour, "index": index }))
            })
            .collect();
        self.defaults["mappings"] = json!([{ "type": "value", "options": options }]);
        self
    }

    /// An option of the panel.
    pub(super) fn option(mut self, name: &str, value: Value) -> Self {
        self.options[name] = value;
        self
    }

    /// What all its fields link to.
    pub(super) fn link(mut self, link: Value) -> Self {
        self.defaults["links"] = json!([link]);
        self
    }

    /// Joins queries in rows by a field that all of them have.
    pub(super) fn joined_by(mut self, field: &str) -> Self {
        self.transformations.push(json!({ "id": "joinByField", "options": { "byField": field, "mode": "outer" } }));
        self
    }

    /// The columns of a table: fields in order with their headings. All others are left out.
    pub(super) fn columns(mut self, columns: &[(&str, &str)]) -> Self {
        let names: serde_json::Map<String, Value> =
            columns.iter().map(|(field, heading)| ((*field).to_owned(), json!(heading))).collect();
        let order: serde_json::Map<String, Value> =
            (0..).zip(columns).map(|(at, (field, _)): (u32, _)| ((*field).to_owned(), json!(at))).collect();
        let include: Vec<&str> = columns.iter().map(|(field, _)| *field).collect();
        self.transformations.push(json!({
            "id": "filterFieldsByName", "options": { "include": { "names": include } },
        }));
        self.transformations.push(json!({
            "id": "organize", "options": { "indexByName": order, "renameByName": names, "excludeByName": {} },
        }));
        self
    }

    /// Settings of one field, by its heading.
    pub(super) fn field(mut self, name: &str, properties: &[(&str, Value)]) -> Self {
        let properties: Vec<Value> = properties.iter().map(|(id, value)| json!({ "id": id, "value": value })).collect();
        self.overrides.push(json!({ "matcher": { "id": "byName", "options": name }, "properties": properties }));
        self
    }

    fn build(self, id: u32) -> Value {
        let [x, y, w, h] = self.place;
        json!({
            "id": id, "type": self.kind, "title": self.title, "description": self.description,
            "datasource": source(), "gridPos": { "x": x, "y": y, "w": w, "h": h }, "targets": self.targets,
            "fieldConfig": { "defaults": self.defaults, "overrides": self.overrides },
            "options": self.options, "transformations": self.transformations, "transparent": false,
        })
    }
}

/// Codes of `site:camhealth_site_level:code` in words and colours.
pub(super) fn levels(say: Say) -> [(i64, &'static str, &'static str); 5] {
    use crate::model::Level;
    [
        (4, Level::Full.text(say.0), GREEN),
        (3, Level::Reduced.text(say.0), YELLOW),
        (2, Level::Critical.text(say.0), RED),
        (1, Level::Blind.text(say.0), DARK_RED),
        (0, Level::Unknown.text(say.0), GREY),
    ]
}

/// Codes of `camera:camhealth_camera_state:code` in words and colours.
pub(super) fn states(say: Say) -> [(i64, &'static str, &'static str); 7] {
    use crate::model::State;
    [
        (4, State::Up.text(say.0), GREEN),
        (3, State::Degraded.text(say.0), YELLOW),
        (1, State::Down.text(say.0), RED),
        (2, State::Unreachable.text(say.0), ORANGE),
        (0, State::Unknown.text(say.0), GREY),
        (5, State::Maintenance.text(say.0), BLUE),
        (6, State::Off.text(say.0), "#484f58"),
    ]
}
