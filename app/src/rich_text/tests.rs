use super::*;

fn flat(pieces: Vec<Piece>, found: &mut Vec<Piece>) {
    for piece in pieces {
        match piece {
            Piece::Styled { pieces, .. } => flat(pieces, found),
            Piece::Text(_) | Piece::Link { .. } | Piece::Mention { .. } | Piece::Code(_) => found.push(piece),
        }
    }
}

/// All pieces of a text, without what they stand in.
fn pieces(text: &str, marks: &[Mark]) -> Vec<Piece> {
    let mut found = Vec::new();
    for block in blocks(text, marks) {
        match block {
            Block::Lines(pieces) | Block::Quote(pieces) => flat(pieces, &mut found),
            Block::List(points) => points.into_iter().for_each(|point| flat(point.pieces, &mut found)),
            Block::Code(code) => found.push(Piece::Code(code)),
        }
    }
    found
}

fn links_with(text: &str, same_text: bool) -> Vec<String> {
    let pieces = pieces(text, &[]);
    assert!(!same_text || joined(&pieces) == text, "{text} became {}", joined(&pieces));
    let link = |piece| if let Piece::Link { href, .. } = piece { Some(href) } else { None };
    pieces.into_iter().filter_map(link).collect()
}

fn links(text: &str) -> Vec<String> {
    links_with(text, true)
}

/// A text with its structure: `<b>`, `<i>`, `<s>`, `<c>` around pieces, and a letter before each block.
fn drawn(text: &str) -> String {
    fn draw(pieces: &[Piece]) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Link { text, .. } => format!("<a>{text}</a>"),
            Piece::Mention { text, .. } => format!("<m>{text}</m>"),
            Piece::Code(text) => format!("<c>{text}</c>"),
            Piece::Styled { style, pieces } => {
                let name = match style {
                    Style::Strong => 'b',
                    Style::Emphasis => 'i',
                    Style::Struck => 's',
                };
                format!("<{name}>{}</{name}>", draw(pieces))
            }
        };
        pieces.iter().map(piece).collect()
    }
    let block = |block: Block| match block {
        Block::Lines(pieces) => draw(&pieces),
        Block::Quote(pieces) => format!("Q[{}]", draw(&pieces)),
        Block::Code(code) => format!("C[{code}]"),
        Block::List(points) => points
            .iter()
            .map(|Point { number, pieces }| match number {
                Some(number) => format!("{number}[{}]", draw(pieces)),
                None => format!("•[{}]", draw(pieces)),
            })
            .collect(),
    };
    blocks(text, &[]).into_iter().map(block).collect()
}

#[test]
fn emphasis_stands_at_the_edges_of_words() {
    for (text, shown) in [
        ("*hola*", "<b>hola</b>"),
        ("_hola_ y ~adiós~.", "<i>hola</i> y <s>adiós</s>."),
        ("**muy** importante, ~~ya no~~", "<b>muy</b> importante, <s>ya no</s>"),
        ("¡*Vamos*! (_ya_)", "¡<b>Vamos</b>! (<i>ya</i>)"),
        ("*_los dos_*", "<b><i>los dos</i></b>"),
        ("_uno *dos* tres_", "<i>uno <b>dos</b> tres</i>"),
        ("usa `a*b*c` y `_x_`", "usa <c>a*b*c</c> y <c>_x_</c>"),
        ("*Nos vemos a las 8*\n_no_", "<b>Nos vemos a las 8</b>\n<i>no</i>"),
        ("*https://a.example/x_y_z*", "<b><a>https://a.example/x_y_z</a></b>"),
        ("¿*Qué*?", "¿<b>Qué</b>?"),
    ] {
        assert_eq!(drawn(text), shown);
    }
}

#[test]
fn marks_that_mean_something_else_stay() {
    for text in [
        "2*3*4 = 24",
        "5 * 3 * 2",
        "mi_archivo_final.txt",
        "~30 km y ~40 min",
        "*1 noche *2 días",
        "¯\\_(ツ)_/¯",
        "*",
        "**",
        "***",
        "__init__",
        "*sin fin",
        "_uno\ndos_",
        "un ` solo",
        "``",
        "` `",
        ">:(",
        "- ",
        "3.5 km",
        "2027. Qué año",
        "a - b",
        "*a _b",
    ] {
        assert_eq!(drawn(text), text);
    }
    assert_eq!(drawn("*a _b* c_"), "<b>a _b</b> c_");
}

#[test]
fn lines_become_quotes_lists_and_code() {
    for (text, shown) in [
        ("> hola\n> tú\nsí", "Q[hola\ntú]sí"),
        ("Lleva:\n- *agua*\n- pan\n\nYa", "Lleva:•[<b>agua</b>]•[pan]\nYa"),
        ("* uno\n• dos", "•[uno]•[dos]"),
        ("1. uno\n3. dos", "1[uno]3[dos]"),
        ("```a *b*```", "C[a *b*]"),
        ("ve:\n```\nuno\n  dos\n```\nfin", "ve:C[uno\n  dos]fin"),
        ("```nada", "```nada"),
        ("``````", "``````"),
        ("```\n```", "```\n```"),
    ] {
        assert_eq!(drawn(text), shown, "{text}");
    }
}

#[test]
fn a_preview_has_no_marks() {
    assert_eq!(plain("*Hola*\n> ¿qué?\n- `pan`\n2. ~no~"), "Hola\n¿qué?\n• pan\n2. no");
    assert_eq!(plain("- pan"), "- pan");
}

#[test]
fn addresses_without_a_scheme_are_links() {
    for (text, target) in [
        ("www.caravana.example", "https://www.caravana.example"),
        ("airbnb.com/rooms/1?x=2", "https://airbnb.com/rooms/1?x=2"),
        ("AirBnB.com", "https://AirBnB.com"),
        ("sub.gob.mx:8443/x", "https://sub.gob.mx:8443/x"),
        ("t.me/grupo", "https://t.me/grupo"),
        ("ana.maria+viaje@correo.example", "mailto:ana.maria+viaje@correo.example"),
        ("+52 55 1234-5678", "tel:+525512345678"),
        ("+1 (415) 555.0100", "tel:+14155550100"),
    ] {
        assert_eq!(links(text), [target]);
        assert_eq!(links(&format!("Mira ({text}), ¿sí?")), [target]);
        assert_eq!(links(&format!("«{text}».")), [target]);
        assert_eq!(links_with(&format!("*{text}*"), false), [target]);
    }
    assert_eq!(links("a.com,b.com y c.com."), ["https://a.com", "https://b.com", "https://c.com"]);
    for text in [
        "Ya llegué.me voy",
        "fin.es tarde",
        "listo.ve tú",
        "llueve.ni modo",
        "3.5.10",
        "12.30",
        "foto.jpg",
        "node.js",
        "a..com",
        "-a.com",
        "@ana.com",
        "x@y",
        "a@b@c.com",
        "+1 2 3",
        "+52",
        "2+5215512345678",
        "+123456789012345678",
        "55 1234 5678",
        "ñandú.com",
    ] {
        assert!(links(text).is_empty(), "{text}");
    }
}

/// Whatever is written, only marks are left out, and in little time.
#[test]
fn nothing_but_marks_is_left_out() {
    let kept = |text: &str| text.chars().filter(|c| !"*_~`>-•. \n0123456789".contains(*c)).collect::<String>();
    let bits = [
        "*",
        "_",
        "~",
        "`",
        "```",
        "\n",
        "> ",
        "- ",
        "1. ",
        "a",
        " ",
        "www.a.com",
        "@ana",
        "+52 55 1234 5678",
        "ñ",
        "語",
    ];
    let mut random = 7_u64;
    for _ in 0..3_000 {
        let mut text = String::new();
        for _ in 0..14 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            text.push_str(bits[(random >> 33) as usize % bits.len()]);
        }
        assert_eq!(kept(&joined(&pieces(&text, &[]))), kept(&text), "{text:?}");
    }
    let begin = std::time::Instant::now();
    for bit in [
        "*a ",
        "_",
        "`",
        "*a* ",
        "```\n",
        "a.com,",
        "a.com:",
        "a.com:1",
        "x.zz:",
        "https://",
        "https://a.",
        "a.com/ ",
        "+5",
        "a@",
        "a.",
        "> x\n",
        "*_~",
    ] {
        let text = bit.repeat(4_000 / bit.len());
        assert_eq!(kept(&joined(&pieces(&text, &[]))), kept(&text));
    }
    assert!(begin.elapsed() < std::time::Duration::from_secs(2), "{:?}", begin.elapsed());
}

#[test]
fn a_mention_is_a_piece_unless_it_stands_in_a_link() {
    let text = "¡@Ana, https://a.example/?@Leo y @Leo!";
    let mark = |word: &str, place: usize, you| {
        let start = text.match_indices(word).nth(place).map_or(0, |(start, _)| start);
        Mark { start, end: start + word.len(), you }
    };
    // A place outside of the text, or inside a letter, is no mention.
    let marks =
        [mark("@Ana", 0, true), mark("@Leo", 0, false), mark("@Leo", 1, false), Mark { start: 0, end: 1, you: false }];
    let pieces = pieces(text, &marks);
    assert_eq!(joined(&pieces), text);
    let mentions: Vec<_> = pieces.into_iter().filter(|piece| matches!(piece, Piece::Mention { .. })).collect();
    let mention = |text: &str, you| Piece::Mention { text: text.to_owned(), you };
    assert_eq!(mentions, [mention("@Ana", true), mention("@Leo", false)]);
}

#[test]
fn the_sentence_around_a_link_stays_outside() {
    assert_eq!(links("Mira (https://a.example/x), ¿sí?"), ["https://a.example/x"]);
    assert_eq!(links("https://es.wikipedia.org/wiki/Paz_(Bolivia)."), ["https://es.wikipedia.org/wiki/Paz_(Bolivia)"]);
    assert_eq!(links("uno http://a.co… dos «https://b.co»"), ["http://a.co", "https://b.co"]);
    assert_eq!(links("HTTPS://A.example y mailto:ana@b.example!"), ["https://A.example", "mailto:ana@b.example"]);
}

#[test]
fn hosts_of_all_scripts_and_ports_are_links() {
    for text in [
        "https://a.example:8080/x",
        "http://[2001:db8::1]:80/",
        "https://हिन्दी.भारत/",
        "https://españa.example?x",
        "http://127.0.0.1",
    ] {
        assert_eq!(links(text), [text]);
    }
}

/// Once, «看https://a.example/x。好» was not a link, and «https://a.example/x。好» led to the wrong page.
#[test]
fn a_link_stands_between_letters_and_punctuation_that_need_no_space() {
    for (text, link) in [
        ("看https://a.example/x。好", "https://a.example/x"),
        ("（https://a.example/x）", "https://a.example/x"),
        ("「https://a.example」は", "https://a.example"),
        ("https://a.example/x，https", "https://a.example/x"),
        ("링크https://a.example/x！", "https://a.example/x"),
        ("ดูhttps://a.example/x", "https://a.example/x"),
        ("メールはmailto:ana@a.example、", "mailto:ana@a.example"),
        ("https://ja.example/wiki/東京々〇ー", "https://ja.example/wiki/東京々〇ー"),
    ] {
        assert_eq!(links(text), [link], "{text}");
    }
}

#[test]
fn nothing_else_becomes_a_link() {
    for text in [
        "javascript:alert(1)",
        "data:text/html,x",
        "https://",
        "https://bank.example@evil.example",
        "xhttps://a.example",
        "mailto:ana",
        "ftp://a.example",
        "//a.example",
        "https:///x",
        "https://.",
        "https://javascript:alert(1)",
        "https://a.example:99999/",
        "https://bank.example\\@evil.example",
        "https://bank.example\u{2044}login.evil.example",
        "https://bank\u{200B}.example",
        "https://[x]/",
        "https://a\"onclick=x",
    ] {
        assert!(links(text).is_empty(), "{text}");
    }
}

/// Once, brackets were counted again for each one that was removed, and for each place that looked like a link: the
/// time grew with the square of the text's length, on every reader's page.
#[test]
fn a_message_of_half_links_and_brackets_costs_nobody_time() {
    let text = "xhttps://".repeat(222) + &")".repeat(2_000);
    let begin = std::time::Instant::now();
    for _ in 0..10 {
        assert!(links(&text).is_empty());
        assert_eq!(links(&format!("https://a.example{}", ")]".repeat(1_990))), ["https://a.example"]);
    }
    assert!(begin.elapsed() < std::time::Duration::from_secs(2), "{:?}", begin.elapsed());
    // As long as a row of another program may be; with the square of the length each took many seconds.
    for half in [
        "http://é@",
        "(mailto:",
        "mailto:)",
        "mailto:",
        "mailto:a@",
        "mailto:a@b.",
        "mailto:a@b.,",
        "mailto:a@b.c:x",
        "http://a@",
        "http://u:p@",
        "http://[",
        "http://[]",
        "http://[1],",
        "http://a,",
        "http://a:/",
        "http://a:99999/",
        "a.me/,(",
        "a.zz/x,",
        "+1(",
        "a@b@",
    ] {
        let begin = std::time::Instant::now();
        links(&half.repeat(64_000 / half.len()));
        assert!(begin.elapsed() < std::time::Duration::from_secs(3), "{half}: {:?}", begin.elapsed());
    }
}

#[test]
fn mail_addresses_may_have_a_question_and_nothing_else_behind_them() {
    assert_eq!(links("mailto:ana@b.example?cc=leo@c.example."), ["mailto:ana@b.example?cc=leo@c.example"]);
    for text in ["mailto:a@b", "mailto:a@b.", "mailto:@b.c", "mailto:a@b.c@d.e", "mailto:a@b.c:d", "http://[]/"] {
        assert!(links(text).is_empty(), "{text}");
    }
}

#[test]
fn a_link_ends_before_a_direction_control() {
    assert_eq!(links("https://a.example/\u{202E}gpj.exe"), ["https://a.example/"]);
}
