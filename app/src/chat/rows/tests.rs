use super::*;
use crate::i18n::Lang;

fn user(n: u128) -> UserId {
    UserId::new(uuid::Uuid::from_u128(n))
}

const ANA: u128 = 1;
const LEO: u128 = 2;

fn said(seq: Seq, author: u128, at: &str) -> Entry {
    Entry::Message(MessageEntry {
        id: MessageId::new(uuid::Uuid::from_u128(u128::from(seq) + 100)),
        seq: Some(seq),
        author: Some(user(author)),
        text: format!("m{seq}"),
        at: at.parse().unwrap(),
        delivery: Delivery::Sent,
        edited: false,
        deleted: false,
        mentioned: Mentioned::default(),
        quote: None,
        reactions: Vec::new(),
        reacting: Vec::new(),
        pinned: false,
        change: None,
    })
}

fn shown(entries: &[Entry], unread_after: Option<Seq>, read_by_all: Seq) -> Vec<Line> {
    part(entries, Cut::default(), unread_after, read_by_all)
}

/// Like `shown`, but older messages exist and are not loaded.
fn shown_of_more(entries: &[Entry], unread_after: Option<Seq>) -> Vec<Line> {
    part(entries, Cut::loaded(entries, true), unread_after, 0)
}

fn part(entries: &[Entry], cut: Cut, unread_after: Option<Seq>, read_by_all: Seq) -> Vec<Line> {
    let names = HashMap::from([(user(ANA), "Ana".to_owned()), (user(LEO), "Leo".to_owned())]);
    let (reader, words) = (Reader::default(), Lang::Es.words());
    let first = if cut.hidden { cut.lead } else { 0 };
    let unread_at = unread_after.and_then(|read| first_unread(&entries[first..], read, user(ANA)));
    lines(entries, cut, &View { me: user(ANA), names: &names, unread_at, read_by_all, reader, blocked: &[], words })
}

fn message(line: &Line) -> Option<&MessageRow> {
    if let RowView::Message(message) = &line.row { Some(message) } else { None }
}

fn outline(lines: &[Line]) -> Vec<String> {
    let words = Lang::Es.words();
    let line = |line: &Line| match &line.row {
        RowView::Day(_) => "day".to_owned(),
        RowView::Unread => "unread".to_owned(),
        RowView::Notice(text) => text.clone(),
        RowView::Gap { coming } => if *coming { words.gap } else { words.gap_offline }.to_owned(),
        RowView::Message(message) => {
            let text = if let Said::Text { text, .. } = &message.said { text } else { words.deleted };
            format!("{}{text}{}", if message.first { "⌈" } else { "" }, if message.last { "⌋" } else { "" })
        }
    };
    lines.iter().map(line).collect()
}

#[test]
fn messages_of_one_author_within_five_minutes_form_a_group() {
    let entries = [
        said(1, LEO, "2026-11-22T10:00:00Z"),
        said(2, LEO, "2026-11-22T10:04:59Z"),
        said(3, LEO, "2026-11-22T10:09:59Z"),
        said(4, ANA, "2026-11-22T10:10:00Z"),
    ];
    assert_eq!(outline(&shown(&entries, None, 0)), ["day", "⌈m1", "m2⌋", "⌈m3⌋", "⌈m4⌋"]);
}

#[test]
fn a_new_day_and_a_notice_end_a_group() {
    let joined =
        Entry::Notice { seq: 2, at: "2026-11-22T23:59:30Z".parse().unwrap(), what: Notice::Joined("Mía".to_owned()) };
    let entries = [
        said(1, LEO, "2026-11-22T23:59:00Z"),
        joined,
        said(3, LEO, "2026-11-22T23:59:45Z"),
        said(4, LEO, "2026-11-23T00:00:10Z"),
    ];
    assert_eq!(outline(&shown(&entries, None, 0)), ["day", "⌈m1⌋", "Mía se unió al grupo", "⌈m3⌋", "day", "⌈m4⌋"]);
}

#[test]
fn the_divider_stands_before_the_first_unread_message_of_somebody_else() {
    let at = "2026-11-22T10:00:00Z";
    let entries = [said(1, LEO, at), said(2, ANA, at), said(3, LEO, at), said(4, LEO, at)];
    assert_eq!(outline(&shown(&entries, Some(1), 0)), ["day", "⌈m1⌋", "⌈m2⌋", "unread", "⌈m3", "m4⌋"]);
    assert_eq!(outline(&shown(&entries, Some(4), 0)), ["day", "⌈m1⌋", "⌈m2⌋", "⌈m3", "m4⌋"]);
}

#[test]
fn only_own_messages_are_marked_as_read_by_all() {
    let at = "2026-11-22T10:00:00Z";
    let rows = shown(&[said(1, LEO, at), said(2, ANA, at), said(3, ANA, at)], None, 2);
    let states: Vec<Option<Delivery>> = rows.iter().filter_map(message).map(|message| message.own).collect();
    assert_eq!(states, [None, Some(Delivery::Read), Some(Delivery::Sent)]);
}

#[test]
fn keys_stay_unique_where_a_day_comes_twice() {
    let entries = [
        said(1, LEO, "2026-11-22T10:00:00Z"),
        said(2, LEO, "2020-01-01T10:00:00Z"),
        said(3, LEO, "2026-11-22T10:00:00Z"),
    ];
    let rows = shown(&entries, None, 0);
    let keys: std::collections::HashSet<&str> = rows.iter().map(|row| row.key.as_str()).collect();
    assert_eq!(keys.len(), rows.len());
}

#[test]
fn an_author_who_is_gone_keeps_a_name() {
    let at = "2026-11-22T10:00:00Z";
    let mut orphan = said(1, LEO, at);
    if let Entry::Message(message) = &mut orphan {
        message.author = None;
    }
    let names: Vec<String> =
        shown(&[orphan, said(2, 9, at)], None, 0).iter().filter_map(message).map(|row| row.name.clone()).collect();
    assert_eq!(names, ["Usuario eliminado", "Ya no está en el grupo"]);
}

#[test]
fn a_gap_parts_what_is_above_from_what_is_below_and_begins_no_day() {
    let entries =
        [said(1, ANA, "2026-11-22T10:00:00Z"), Entry::Gap { coming: true }, said(9, ANA, "2026-11-22T10:00:30Z")];
    let words = Lang::Es.words();
    assert_eq!(outline(&shown(&entries, None, 0)), ["day", "⌈m1⌋", words.gap, "⌈m9⌋"]);
    let alone = outline(&shown(&[Entry::Gap { coming: false }], None, 0));
    assert_eq!(alone, [words.gap_offline]);
}

// Once, loading the first older page removed the author's name from the row below it, and all rows moved.
#[test]
fn no_row_changes_when_older_ones_come_above_it() {
    let times = ["2026-11-21T23:50:00Z", "2026-11-21T23:58:00Z", "2026-11-22T00:01:00Z", "2026-11-22T00:03:00Z"];
    let authors = [LEO, LEO, LEO, LEO, ANA, LEO, LEO, LEO];
    let entries: Vec<Entry> = (1..)
        .zip(authors)
        .map(|(seq, author)| said(seq, author, times[usize::try_from(seq).unwrap() / 2 % 4]))
        .collect();
    for unread_after in [None, Some(2), Some(5)] {
        let messages =
            |lines: Vec<Line>| -> Vec<Line> { lines.into_iter().filter(|line| message(line).is_some()).collect() };
        let whole = messages(shown(&entries, unread_after, 0));
        for from in 0..entries.len() - 1 {
            let part = messages(shown_of_more(&entries[from..], unread_after));
            assert_eq!(part.len(), entries.len() - from - 1, "one is hidden");
            let first = |line: &Line| message(line).map(|message| message.first);
            let (mut part, mut all) = (part.iter().map(first), whole[from + 1..].iter().map(first));
            // The divider is above the first unread message of this part, even if the real first one is not in it.
            if unread_after.is_some_and(|read| from as u64 >= read) {
                part.next();
                all.next();
            }
            assert!(part.eq(all), "from {from}, unread after {unread_after:?}");
        }
    }
}

#[test]
fn what_stands_above_the_first_row_says_which_day_it_is() {
    let at = "2026-11-22T10:00:00Z";
    let entries = [said(1, LEO, at), said(2, LEO, at), said(3, ANA, at)];
    assert_eq!(outline(&shown_of_more(&entries, None)), ["day", "m2⌋", "⌈m3⌋"]);
    assert_eq!(outline(&shown_of_more(&entries, Some(0))), ["day", "unread", "⌈m2⌋", "⌈m3⌋"]);
    assert_eq!(outline(&shown_of_more(&entries[..1], None)), ["day", "⌈m1⌋"], "one is better than none");
}

#[test]
fn a_part_has_the_rows_that_it_has_in_the_whole() {
    let times = ["2026-11-21T23:50:00Z", "2026-11-21T23:58:00Z", "2026-11-22T00:01:00Z", "2026-11-22T00:03:00Z"];
    let mut entries: Vec<Entry> = (1..)
        .zip([LEO, LEO, ANA, ANA, ANA, LEO, LEO, LEO, ANA, LEO, LEO])
        .map(|(seq, author)| said(seq, author, times[usize::try_from(seq).unwrap() / 3 % 4]))
        .collect();
    entries.insert(8, Entry::Gap { coming: true });
    let whole = shown(&entries, Some(5), 4);
    let all = entries.len();
    for from in 0..all {
        for to in from + 1..=all {
            // A gap gives no information about the entry below it, so the leading part continues up to the row above
            // the gap.
            let lead =
                from - entries[..from].iter().rposition(|entry| !matches!(entry, Entry::Gap { .. })).unwrap_or(from);
            let cut = Cut { lead, trail: usize::from(to < all), hidden: false };
            let view_of = &entries[from - lead..(to + 1).min(all)];
            let names = HashMap::from([(user(ANA), "Ana".to_owned()), (user(LEO), "Leo".to_owned())]);
            let (reader, words) = (Reader::default(), Lang::Es.words());
            let unread_at = first_unread(&entries, 5, user(ANA));
            let view = View { me: user(ANA), names: &names, unread_at, read_by_all: 4, reader, blocked: &[], words };
            let part = lines(view_of, cut, &view);
            let begins = whole.iter().position(|line| line.key == part[0].key).unwrap();
            assert_eq!(part, whole[begins..begins + part.len()], "{from}..{to}");
        }
    }
}

#[test]
fn a_reaction_names_the_reader_first_and_counts_the_others() {
    let Entry::Message(mut message) = said(1, LEO, "2026-11-22T10:00:00Z") else { unreachable!() };
    let users = vec![user(LEO), user(ANA), user(3)];
    message.reactions = vec![Reaction { emoji: "🎉".to_owned(), count: 5, users }];
    message.reacting = vec!["🎉".to_owned()];
    let lines = shown(&[Entry::Message(message)], None, 0);
    let rows: Vec<_> =
        lines.iter().filter_map(|line| if let RowView::Message(row) = &line.row { Some(row) } else { None }).collect();
    let reaction = &rows[0].reactions[0];
    assert_eq!(reaction.who, ["Tú", "Leo", Lang::Es.words().former_member]);
    assert_eq!((reaction.count, reaction.others, reaction.own, reaction.waits), (5, 2, true, true));
}

#[test]
fn a_message_that_mentions_the_reader_says_so_and_marks_the_place() {
    let of = |mentions: &[u128], everyone, author, text: &'static str| {
        let mut entry = said(1, author, "2026-05-02T10:00:00Z");
        if let Entry::Message(message) = &mut entry {
            let members = mentions.iter().copied().map(user).collect();
            message.mentioned = Mentioned { members, everyone };
            text.clone_into(&mut message.text);
        }
        let lines = shown(&[entry], None, 0);
        let row = lines.iter().find_map(message).unwrap();
        (row.for_you, row.marks.iter().map(|mark| (&text[mark.start..mark.end], mark.you)).collect::<Vec<_>>())
    };
    assert_eq!(of(&[ANA, LEO], false, LEO, "@Ana y @Leo"), (true, vec![("@Ana", true), ("@Leo", false)]));
    assert_eq!(of(&[LEO], false, LEO, "@Ana y @Leo"), (false, vec![("@Leo", false)]));
    assert_eq!(of(&[], true, LEO, "¡@todos!"), (true, vec![("@todos", true)]));
    assert_eq!(of(&[LEO], true, ANA, "@todos, @leo"), (false, vec![("@todos", false), ("@leo", false)]));
    assert_eq!(of(&[], false, LEO, "@Ana @todos"), (false, Vec::new()), "it says the names, and mentions nobody");
}
