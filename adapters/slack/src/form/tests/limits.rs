//! Slack's limits for views, checked on the JSON that goes to it.

use serde_json::Value;
use slack_morphism::prelude::SlackView;

use crate::render::tests::limits::check_blocks;

/// Fails where Slack would refuse the view.
pub(super) fn check(view: &SlackView) {
    let view = serde_json::to_value(view).expect("a view is JSON");
    assert_eq!(view["type"], "modal");
    let blocks = view["blocks"].as_array().expect("blocks");
    assert!((1..=100).contains(&blocks.len()), "{} blocks", blocks.len());
    check_blocks(blocks);
    assert!(blocks.iter().all(|block| block["type"] != "table" && block["type"] != "actions"));
    let inputs: Vec<_> = blocks.iter().filter(|block| block["type"] == "input").collect();
    assert!(inputs.is_empty() || view.get("submit").is_some(), "a view with inputs needs a submit button");
    for name in ["title", "close", "submit"] {
        view.get(name).into_iter().for_each(|text| plain(text, 24));
    }
    for (name, most) in [("private_metadata", 3_000), ("callback_id", 255), ("external_id", 255)] {
        let length = view[name].as_str().map_or(0, |text| text.chars().count());
        assert!(length <= most, "{name} has {length} characters");
    }
    inputs.into_iter().for_each(input);
}

fn plain(text: &Value, most: usize) {
    assert_eq!(text["type"], "plain_text");
    let length = text["text"].as_str().map_or(0, |text| text.chars().count());
    assert!((1..=most).contains(&length), "{length} of {most} characters: {text}");
}

fn input(block: &Value) {
    plain(&block["label"], 2_000);
    block.get("hint").into_iter().for_each(|hint| plain(hint, 2_000));
    assert!(block["block_id"].as_str().is_some_and(|id| (1..=255).contains(&id.len())));
    let element = &block["element"];
    assert!(element["action_id"].as_str().is_some_and(|id| (1..=255).contains(&id.len())));
    element.get("placeholder").into_iter().for_each(|text| plain(text, 150));
    let options = element["options"].as_array();
    assert!(options.is_none_or(|options| (1..=100).contains(&options.len())));
    let initial = element["initial_options"].as_array();
    for option in options.into_iter().chain(initial).flatten().chain(element.get("initial_option")) {
        plain(&option["text"], 75);
        assert!(option["value"].as_str().is_some_and(|value| (1..=150).contains(&value.chars().count())));
    }
    let initial = element["initial_value"].as_str().map_or(0, |value| value.chars().count());
    assert!(initial <= element["max_length"].as_u64().map_or(3_000, |most| most.min(3_000)) as usize);
}
