//! Switched off where RELIABILITY §5 asks for something: `s5-…` is of §5.5, and so on; the points stand in SECURITY.md.

use super::{Mutant, Run, at, inside, it, session};

/// A test of the screen, as the server renders it.
const fn screen(test: &'static str) -> Run {
    Run { cargo: "--locked --package=caravana-app --features=ssr --lib", test }
}

/// A test of the wire and of what may stand in a text.
const fn wire(test: &'static str) -> Run {
    Run { cargo: "--locked --package=caravana-protocol --lib", test }
}

/// By point.
pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "s3-rebound",
        what: "without PUBLIC_URL any name in `Host` is this machine's",
        changes: &[at(
            "server/src/origin.rs",
            "self.ip().is_some() || is_local || (!host.is_empty() && !host.contains('.'))",
            "self.ip().is_some() || is_local || !host.is_empty()",
        )],
        tests: &[
            inside("without_an_address_of_its_own_a_site_is_at_home_where_it_is_opened"),
            it("without_public_url_a_site_works_by_any_address_of_its_machine"),
        ],
    },
    Mutant {
        name: "s3-told",
        what: "every refused page is a line in the log",
        changes: &[at(
            "server/src/http/origins/told.rs",
            "lately.names.len() < NAMES && lately.names.insert(name.to_owned())",
            "(lately.names.len() < NAMES || lately.names.insert(name.to_owned()))",
        )],
        tests: &[
            inside("each_name_is_told_once_an_hour_and_a_flood_of_names_is_not"),
            it("at_another_address_than_public_url_page_and_log_say_which_is_right"),
        ],
    },
    Mutant {
        name: "s5-leave",
        what: "who leaves by a form is not told to the browser",
        changes: &[at(
            "server/src/http/forms.rs",
            "Some(cookie) => with_cookie(response, cookie)",
            "Some(_) => response",
        )],
        tests: &[it("who_leaves_by_a_form_tells_the_browser_to_forget")],
    },
    Mutant {
        name: "s5-hash",
        what: "secrets are stored as they are",
        changes: &[at(
            "server/src/auth/secret.rs",
            "Sha256::digest(self.0.as_bytes()).into()",
            "if self.0.is_empty() { Sha256::digest(b\"\").into() } else { std::array::from_fn(|at| self.0.as_bytes()[at]) }",
        )],
        tests: &[it("no_secret_lies_in_the_database")],
    },
    Mutant {
        name: "s5-prefix",
        what: "the cookie has the same name with and without TLS",
        changes: &[at(
            "server/src/http/cookies.rs",
            r#"if self.secure { "__Host-caravana_session" }"#,
            r#"if self.secure { "caravana_session" }"#,
        )],
        tests: &[
            it("behind_tls_the_cookie_can_not_be_set_by_a_neighbour"),
            it("a_session_cookie_opens_nothing_under_a_name_that_a_neighbour_could_set"),
            inside("the_cookie_is_guarded"),
        ],
    },
    Mutant {
        name: "s7-nobody",
        what: "for an unknown account nothing is hashed",
        changes: &[at(
            "server/src/auth/passwords.rs",
            "let stored = stored.unwrap_or_else(|| self.nobody.to_string());",
            "let Some(stored) = stored.filter(|_| !self.nobody.is_empty()) else { return Ok(false) };",
        )],
        tests: &[inside("an_unknown_account_costs_as_much_as_a_wrong_password")],
    },
    Mutant {
        name: "s7-waiting",
        what: "any number of sign-ins waits in line",
        changes: &[at(
            "server/src/auth/passwords.rs",
            ".try_acquire_owned().map_err(|_| PasswordError::Busy)?;",
            ".try_acquire_owned().ok();",
        )],
        tests: &[inside("a_flood_of_sign_ins_is_refused_and_does_not_wait_in_line")],
    },
    Mutant {
        name: "s8-title",
        what: "a group's name goes into the title of a rendered page as it is",
        changes: &[at("app/src/lib.rs", "if cfg!(feature = \"ssr\") {", "if title.is_empty() {")],
        tests: &[it("no_name_is_more_than_one_line_of_letters_in_the_rendered_pages")],
    },
    Mutant {
        name: "s8-rel",
        what: "the page that a link leads to learns where from, and may reach back",
        changes: &[at("app/src/components/bubble.rs", r#"rel="noopener noreferrer nofollow ugc""#, r#"rel="ugc""#)],
        tests: &[it("no_message_is_more_than_text_in_the_rendered_page")],
    },
    Mutant {
        name: "s8-scheme",
        what: "links lead anywhere",
        changes: &[at(
            "app/src/rich_text.rs",
            "const SCHEMES: [&str; 3] = [\"https://\", \"http://\", \"mailto:\"];",
            "const SCHEMES: [&str; 4] = [\"https://\", \"http://\", \"mailto:\", \"ftp://\"];",
        )],
        tests: &[screen("nothing_else_becomes_a_link"), it("no_message_is_more_than_text_in_the_rendered_page")],
    },
    Mutant {
        name: "s8-host",
        what: "whatever stands behind https:// is a link",
        changes: &[at(
            "app/src/rich_text.rs",
            "&& host.chars().all(is_of_host) && has_port",
            "&& (has_port || is_of_host('a'))",
        )],
        tests: &[screen("nothing_else_becomes_a_link")],
    },
    Mutant {
        name: "s9-policy",
        what: "a page may load plug-ins",
        changes: &[at(
            "server/src/http/site.rs",
            "frame-ancestors 'none'; object-src 'none'\"",
            "frame-ancestors 'none'\"",
        )],
        tests: &[it("a_page_has_the_policy_to_the_letter_and_a_nonce_of_its_own")],
    },
    Mutant {
        name: "s9-referrer",
        what: "pages tell browsers not to say where a form is from",
        changes: &[at(
            "server/src/http/headers.rs",
            "HeaderValue::from_static(\"same-origin\")),\n    (HeaderName::from_static(\"cross-origin-opener-policy\")",
            "HeaderValue::from_static(\"no-referrer\")),\n    (HeaderName::from_static(\"cross-origin-opener-policy\")",
        )],
        tests: &[
            it("pages_tell_browsers_to_say_where_a_form_is_from"),
            it("a_page_has_the_policy_to_the_letter_and_a_nonce_of_its_own"),
        ],
    },
    Mutant {
        name: "s10-next",
        what: "signing in leads wherever a form says",
        changes: &[at("server/src/http/forms.rs", "&& !path.starts_with(\"//\")", "&& path.len() < usize::MAX")],
        tests: &[it("signing_in_leads_to_no_other_site"), inside("only_our_own_paths_are_followed")],
    },
    Mutant {
        name: "s10-proof",
        what: "any page may write with a person's cookie",
        changes: &[at("server/src/http/origins.rs", "    if refused {", "    if refused && headers.is_empty() {")],
        tests: &[
            it("a_write_with_a_cookie_needs_proof_of_our_own_page"),
            it("a_write_to_any_address_needs_proof_of_our_own_page"),
        ],
    },
    Mutant {
        name: "s11-invisible",
        what: "joiners stay wherever they stand in a name",
        changes: &[at(
            "protocol/src/text/names.rs",
            "if is_ignorable(c) && !shapes()",
            "if is_ignorable(c) && !shapes() && c != '\\u{200D}'",
        )],
        tests: &[
            wire("what_changes_nothing_that_can_be_seen_makes_no_other_name"),
            it("no_name_is_more_than_one_line_of_letters_in_the_rendered_pages"),
        ],
    },
    Mutant {
        name: "s12-query",
        what: "addresses are logged as they were asked for",
        changes: &[at(
            "server/src/http/envelope.rs",
            "request.extensions().get::<MatchedPath>().map_or(\"-\", MatchedPath::as_str).to_owned();",
            "request.extensions().get::<MatchedPath>().map_or_else(String::new, |_| request.uri().to_string());",
        )],
        tests: &[it("nothing_that_people_say_or_hold_reaches_a_log")],
    },
    Mutant {
        name: "s12-body",
        what: "what is asked of the hub is logged",
        changes: &[at(
            "server/src/hub/command.rs",
            "        let (hub, peer) = (Arc::clone(&self.hub), Arc::clone(&self.peer));",
            "        let (hub, peer) = (Arc::clone(&self.hub), Arc::clone(&self.peer));\n        \
             tracing::trace!(message = posted.message, \"a message\");",
        )],
        tests: &[it("nothing_that_people_say_or_hold_reaches_a_log")],
    },
    Mutant {
        name: "s12-panic",
        what: "panics are logged with their values",
        changes: &[at(
            "server/src/telemetry.rs",
            ".copied().unwrap_or(",
            ".copied().or_else(|| payload.downcast_ref::<String>().map(|text| &*text.clone().leak())).unwrap_or(",
        )],
        tests: &[inside("a_panic_is_told_in_words_of_the_source_only")],
    },
    Mutant {
        name: "s13-weak",
        what: "production takes any secret",
        changes: &[at(
            "server/src/settings/secret.rs",
            "Some(problem) if app_env == AppEnv::Production =>",
            "Some(problem) if app_env == AppEnv::Production && problem.is_empty() =>",
        )],
        tests: &[it("production_does_not_start_with_what_is_unsafe"), inside("production_refuses_what_is_unsafe")],
    },
    Mutant {
        name: "s13-synchronous",
        what: "what the database does for durability is believed",
        changes: &[at("server/src/store/sqlite.rs", "    if synchronous < 2 {", "    if synchronous < 0 {")],
        tests: &[inside("a_connection_that_could_lose_commits_is_refused")],
    },
    Mutant {
        name: "s13-version",
        what: "any SQLite is good enough",
        changes: &[at(
            "server/src/store/sqlite.rs",
            "(next(), next(), next()) >= SAFE_VERSION",
            "(next(), next(), next()) >= (0, 0, 0)",
        )],
        tests: &[inside("an_old_sqlite_is_refused")],
    },
    Mutant {
        name: "s13-lock",
        what: "a second server opens the same file",
        changes: &[at(
            "server/src/store/sqlite.rs",
            "Err(TryLockError::WouldBlock) => Err(OpenError::InUse(path.to_owned())),",
            "Err(TryLockError::WouldBlock) => if path.exists() { Ok(file) } else { Err(OpenError::InUse(path.to_owned())) },",
        )],
        tests: &[
            inside("a_second_server_on_the_same_file_is_refused"),
            it("a_second_process_on_the_same_database_is_refused"),
        ],
    },
    Mutant {
        name: "limits-words",
        what: "whoever waits for an overloaded server is told that they went too fast",
        changes: &[at(
            "client/src/outbox.rs",
            "self.too_fast = code == Some(ErrorCode::RateLimited);",
            "self.too_fast = code.is_some();",
        )],
        tests: &[session("a_server_that_is_busy_is_given_its_time_and_the_order_stays")],
    },
];
