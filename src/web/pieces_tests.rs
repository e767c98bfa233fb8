//! Whatever changes, who applies the changes to what was shown has what is shown.

use super::*;
use proptest::prelude::*;

/// A page as its reader has it: the frame's texts, and elements in lists.
#[derive(Debug, Clone, PartialEq)]
struct Page {
    head: String,
    lists: BTreeMap<String, Vec<(String, String)>>,
}

impl Page {
    fn marked(&self) -> String {
        let mut text = format!("<h1>t</h1>\n<!--[head--><p id=\"head\">{}</p><!--]-->\n", self.head);
        for (id, items) in &self.lists {
            text += &format!("<ul id=\"{id}\">\n<!--({id}-->");
            for (item, words) in items {
                text += &format!("<!--[{item}--><li id=\"{item}\">{words}</li><!--]-->\n");
            }
            text += "<!--)--></ul>\n";
        }
        text
    }

    /// What the page's script does with a patch.
    fn apply(&mut self, patch: &Value) {
        let inner = |html: &str| {
            html.split_once('>').and_then(|(_, rest)| rest.rsplit_once("</")).expect("it is one").0.to_owned()
        };
        let mut known: HashMap<String, String> = self.lists.values().flatten().cloned().collect();
        for (id, html) in patch["pieces"].as_object().expect("an object") {
            let words = inner(html.as_str().expect("text"));
            if id == "head" {
                self.head = words;
            } else {
                known.insert(id.clone(), words);
            }
        }
        for (id, items) in &mut self.lists {
            let order: Vec<String> = match patch["lists"].get(id) {
                Some(order) => serde_json::from_value(order.clone()).expect("ids"),
                None => items.iter().map(|(item, _)| item.clone()).collect(),
            };
            *items = order.into_iter().map(|item| (item.clone(), known[&item].clone())).collect();
        }
    }
}

fn pages() -> impl Strategy<Value = Page> {
    let items = proptest::sample::subsequence((0..8).collect::<Vec<u8>>(), 0..=8).prop_shuffle();
    (0..3u8, items, proptest::collection::vec(0..3u8, 8), 0..=8usize).prop_map(|(head, items, words, cut)| {
        // An element is in one of the two lists, as a camera is among the well or the others.
        let item =
            |number: &u8| (format!("i-{number}"), format!("words {} &lt;!--]--&gt;", words[usize::from(*number)]));
        let (left, right) = items.split_at(cut.min(items.len()));
        let list = |part: &[u8]| part.iter().map(item).collect();
        let filler = "filler ".repeat(400);
        Page {
            head: format!("{head}{filler}"),
            lists: [("left".into(), list(left)), ("right".into(), list(right))].into(),
        }
    })
}

proptest! {
    #[test]
    fn whoever_applies_a_patch_shows_the_page(before in pages(), after in pages()) {
        let (old, new) = (Content::of(&before.marked()), Content::of(&after.marked()));
        match new.since(old.outline()) {
            Some(patch) if patch.is_empty() => prop_assert_eq!(before, after),
            Some(patch) => {
                let mut shown = before;
                shown.apply(&serde_json::from_slice(&patch).expect("JSON"));
                prop_assert_eq!(shown, after);
            }
            // Both have the same frame, so it was too much.
            None => prop_assert!(before.head != after.head),
        }
    }
}

#[test]
fn marks_are_not_sent_and_another_frame_is_another_page() {
    let page = Page { head: "h".into(), lists: BTreeMap::from([("left".into(), vec![("a".into(), "1".into())])]) };
    let content = Content::of(&page.marked());
    let html = String::from_utf8_lossy(&content.html).into_owned();
    assert!(!html.contains("<!--") && html.contains("<li id=\"a\">1</li>"), "{html}");
    let other = Content::of(&(page.marked() + "<p>more</p>"));
    assert_eq!(other.since(content.outline()), None);
    assert_eq!(content.since(content.outline()), Some(Vec::new()));
    assert_eq!(Content::of(&page.marked()).outline().fingerprint(), content.outline().fingerprint());
    // A comment that is none of ours stays, and one that does not end is text.
    assert_eq!(Content::of("a<!-- b --><!--[x-->c<!--]--><!--[").html, "a<!-- b -->c<!--[");
}
