//! The page that a person sees. Plain HTML without scripts, whose one style sheet is named in the policy by its hash.

use std::fmt::Write;
use std::sync::LazyLock;

use asl::Data;
use asl::interpreter::Decision;
use asl::limits::CALLBACK_MESSAGE_CHARACTERS_MAX;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest, Sha256};
use store::CallbackAnswered;

use super::status::{self, Open, Status};

const STYLE: &str = "\
:root{color-scheme:light dark}\
body{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:2rem auto;padding:0 1rem}\
h1{font-size:1.5rem;line-height:1.25;overflow-wrap:anywhere}\
.message{white-space:pre-wrap;overflow-wrap:anywhere}\
pre{white-space:pre-wrap;overflow-wrap:anywhere;border:1px solid;border-radius:.25rem;padding:.75rem}\
label{display:block;margin-top:1rem;font-weight:600}\
textarea{box-sizing:border-box;width:100%;font:inherit}\
button{font:inherit;font-weight:600;margin:1rem .75rem 0 0;padding:.6rem 1.4rem;border:2px solid;border-radius:.25rem;\
cursor:pointer}\
:focus-visible{outline:3px solid currentcolor;outline-offset:2px}\
";

/// The page's Content-Security-Policy: nothing but its own style and a form to itself.
pub(super) static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = BASE64_STANDARD.encode(Sha256::digest(STYLE));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
});

const TITLE: &str = "Your answer is needed";

pub(super) fn of_status(status: &Status) -> String {
    match status {
        Status::Open(open) => of_open(open),
        Status::Answered(answered) => {
            let (_, sentence) = status::refusal(status);
            let CallbackAnswered { decision, at } = answered;
            let text = format!("{sentence} It was {} at {at}. There is nothing left to do.", decision.word());
            notice("Already answered", &text)
        }
        Status::Expired => notice("Link expired", status::refusal(status).1),
        Status::Closed => notice("No longer open", status::refusal(status).1),
    }
}

pub(super) fn of_thanks(answered: &CallbackAnswered) -> String {
    let title = match answered.decision {
        Decision::Approved => "Approved",
        Decision::Rejected => "Rejected",
    };
    notice(title, "Thank you. Your answer has been recorded; you can close this page.")
}

pub(super) fn of_problem(message: &str) -> String {
    notice("That did not work", message)
}

fn of_open(open: &Open) -> String {
    let title = open.request.title.as_deref().unwrap_or(TITLE);
    let mut main = format!("<h1>{}</h1>\n", escaped(title));
    if let Some(message) = &open.request.message {
        write(&mut main, format_args!("<p class=\"message\">{}</p>\n", escaped(message)));
    }
    if let Some(payload) = &open.request.payload {
        write(&mut main, format_args!("<pre>{}</pre>\n", escaped(&pretty(payload))));
    }
    main.push_str("<form method=\"post\">\n<label for=\"comment\">Comment (optional)</label>\n");
    write(
        &mut main,
        format_args!(
            "<textarea id=\"comment\" name=\"comment\" rows=\"4\" maxlength=\"{CALLBACK_MESSAGE_CHARACTERS_MAX}\"></textarea>\n"
        ),
    );
    if open.request.accepts_output {
        main.push_str(
            "<label for=\"output\">Result as JSON (optional)</label>\n\
             <textarea id=\"output\" name=\"output\" rows=\"6\" spellcheck=\"false\"></textarea>\n",
        );
    }
    for decision in open.decisions() {
        let label = match decision {
            Decision::Approved => "Approve",
            Decision::Rejected => "Reject",
        };
        let word = decision.word();
        write(
            &mut main,
            format_args!("<button type=\"submit\" name=\"decision\" value=\"{word}\">{label}</button>\n"),
        );
    }
    write(&mut main, format_args!("</form>\n<p>Open until {}.</p>\n", open.until));
    document(title, &main)
}

fn notice(title: &str, text: &str) -> String {
    let main = format!("<h1>{}</h1>\n<p role=\"status\">{}</p>\n", escaped(title), escaped(text));
    document(title, &main)
}

fn document(title: &str, main: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"robots\" content=\"noindex\">\n<title>{}</title>\n<style>{STYLE}</style>\n</head>\n\
         <body>\n<main>\n{main}</main>\n</body>\n</html>\n",
        escaped(title)
    )
}

fn write(page: &mut String, arguments: std::fmt::Arguments<'_>) {
    page.write_fmt(arguments).expect("writing to a text cannot fail");
}

/// A text is shown as it is, everything else as JSON on several lines.
fn pretty(payload: &Data) -> String {
    match payload.value().as_str() {
        Some(text) => text.to_owned(),
        None => serde_json::to_string_pretty(payload.value()).unwrap_or_else(|_| payload.text().to_owned()),
    }
}

/// A text for the inside of an element or of a quoted attribute. Characters that steer the direction of text, and could
/// make one word look like another, are made visible.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => escaped.push('\u{fffd}'),
            '\n' | '\t' => escaped.push(character),
            character if character.is_control() => escaped.push('\u{fffd}'),
            character => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use asl::Timestamp;
    use asl::interpreter::{AttemptId, CallbackRequest, ExecutionId, LinkUse, RowId};
    use engine::shard::TaskKey;
    use serde_json::json;

    use super::*;

    fn open(uses: LinkUse, title: &str, payload: serde_json::Value) -> String {
        let request = CallbackRequest {
            title: Some(title.to_owned()),
            message: Some("Line one\n<b>two</b>".to_owned()),
            payload: Some(payload.into()),
            expires_at: Timestamp::EPOCH,
            reject_error: None,
            accepts_output: false,
        };
        let task = TaskKey { execution: ExecutionId(1), row: RowId(1), attempt: AttemptId(1) };
        of_status(&Status::Open(Box::new(Open { task, request, uses, until: Timestamp::EPOCH })))
    }

    #[test]
    fn what_is_asked_is_shown_and_never_run() {
        let page = open(
            LinkUse::Answer,
            "</title><script>alert(1)</script>",
            json!({"a": ["</pre><img src=x>", "\u{202e}"]}),
        );
        assert!(!page.contains("<script") && !page.contains("<img") && !page.contains("<b>"), "{page}");
        assert_eq!(page.matches("</title>").count(), 1);
        assert_eq!(page.matches("</pre>").count(), 1);
        assert!(page.contains("&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt;</h1>"), "{page}");
        assert!(page.contains("Line one\n&lt;b&gt;two&lt;/b&gt;</p>"), "{page}");
        assert!(!page.contains('\u{202e}'), "{page}");
    }

    #[test]
    fn a_page_has_the_buttons_of_its_link() {
        let buttons = |uses| {
            let page = open(uses, "t", json!("plain"));
            assert!(page.contains("<pre>plain</pre>"), "{page}");
            (page.contains(">Approve</button>"), page.contains(">Reject</button>"))
        };
        assert_eq!(buttons(LinkUse::Approve), (true, false));
        assert_eq!(buttons(LinkUse::Reject), (false, true));
        assert_eq!(buttons(LinkUse::Answer), (true, true));
    }

    #[test]
    fn a_page_can_be_used_without_a_mouse_or_a_screen() {
        let page = open(LinkUse::Answer, "t", json!(1));
        for part in [
            "<html lang=\"en\">",
            "<main>",
            "<label for=\"comment\">",
            "id=\"comment\"",
            "<title>t</title>",
            "<h1>t</h1>",
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
        assert!(!page.contains("<script") && !page.contains(" style="), "{page}");
    }

    #[test]
    fn the_policy_names_the_style_that_is_in_the_page() {
        let page = of_thanks(&CallbackAnswered { decision: Decision::Approved, at: Timestamp::EPOCH });
        let (_, rest) = page.split_once("<style>").unwrap();
        let (style, _) = rest.split_once("</style>").unwrap();
        let hash = BASE64_STANDARD.encode(Sha256::digest(style));
        assert!(POLICY.contains(&format!("style-src 'sha256-{hash}'")), "{}", *POLICY);
        assert!(POLICY.starts_with("default-src 'none'; "), "{}", *POLICY);
    }
}
