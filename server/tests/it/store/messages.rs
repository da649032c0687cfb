//! The promises of every adapter about messages: each is stored once, in order, for members only.

use caravana_protocol::limits::REPLAY_PAGE_BYTES;
use caravana_protocol::rest::NewGroup;
use caravana_protocol::{Content, Event, GroupId, Message, MessageBody, MessageId, Timestamp};
use caravana_store::{Anchor, Appended, Effect, NewMessage, StoreError};
use futures::future::join_all;
use uuid::Uuid;

use super::{Fixture, Kind, answer_to, person, seqs, text, text_of};

on_both! {
    a_message_is_stored_once_whatever_its_sender_repeats
    fifty_parallel_sends_of_one_id_are_one_message
    an_id_belongs_to_one_author_group_text_and_reply
    a_text_stored_by_older_rules_is_recognised_when_it_is_sent_again
    a_stranger_can_neither_write_nor_read_nor_use_up_a_seq
    seqs_have_no_hole_and_a_sender_keeps_the_order
    each_message_of_a_batch_gets_its_own_answer
    an_answer_needs_a_message_of_the_same_group
    only_authors_edit_and_only_authors_and_managers_delete
    what_was_acknowledged_is_there_after_the_database_is_opened_again
}

async fn a_message_is_stored_once_whatever_its_sender_repeats(fixture: Fixture) {
    let new_message = fixture.new_message(fixture.ana, "hola");
    let first = fixture.store.append(new_message.clone()).await.unwrap();
    assert!(!first.duplicate);
    let later = NewMessage { created_at: Timestamp::from_unix_micros(0), ..new_message };
    for _ in 0..3 {
        let again = fixture.store.append(later.clone()).await.unwrap();
        assert!(again.duplicate);
        assert_eq!(again.message, first.message);
    }
    assert_eq!(fixture.log().await.iter().filter(|event| text_of(event) == Some("hola")).count(), 1);
}

async fn fifty_parallel_sends_of_one_id_are_one_message(fixture: Fixture) {
    let new_message = fixture.new_message(fixture.ana, "hola");
    let sends = join_all((0..50).map(|_| fixture.store.append(new_message.clone()))).await;
    let acks: Vec<Appended> = sends.into_iter().map(Result::unwrap).collect();
    assert_eq!(acks.iter().filter(|ack| !ack.duplicate).count(), 1);
    assert!(acks.iter().all(|ack| ack.message == acks[0].message));
}

async fn an_id_belongs_to_one_author_group_text_and_reply(fixture: Fixture) {
    let other_group = GroupId::new(Uuid::new_v4());
    fixture.store.create_group(other_group, fixture.ana, NewGroup::named("Cusco")).await.unwrap();
    let original = fixture.say(fixture.bob, "la pregunta").await;
    let new_message = fixture.new_message(fixture.ana, "hola");
    fixture.store.append(new_message.clone()).await.unwrap();
    for stolen in [
        NewMessage { user_id: fixture.bob, ..new_message.clone() },
        NewMessage { group_id: other_group, ..new_message.clone() },
        NewMessage { content: text("adiós"), ..new_message.clone() },
        NewMessage { content: answer_to(original.id, "hola"), ..new_message.clone() },
    ] {
        assert!(matches!(fixture.store.append(stolen).await, Err(StoreError::Conflict)));
    }
    let composed = NewMessage { content: text("hola\r\nBob\r\n"), ..fixture.new_message(fixture.ana, "x") };
    fixture.store.append(composed.clone()).await.unwrap();
    let same = NewMessage { content: text("hola\nBob"), ..composed };
    assert!(fixture.store.append(same).await.unwrap().duplicate, "line ends are the same after normalisation");
}

/// An earlier version stored blank lines at the ends of a message. A client without an answer sends the message again,
/// under the same id, after the server was upgraded.
async fn a_text_stored_by_older_rules_is_recognised_when_it_is_sent_again(fixture: Fixture) {
    let new_message = fixture.new_message(fixture.ana, "\n\nhola\n");
    let Fixture { group, ana, .. } = fixture;
    let row = format!(
        "insert into group_chat (id, user_id, group_id, message) values ('{}', '{ana}', '{group}', '\n\nhola\n')",
        new_message.id
    );
    fixture.foreign().await.run(&row).await;
    let answer = fixture.store.append(new_message.clone()).await.unwrap();
    assert!(answer.duplicate);
    assert_eq!(answer.message.content.body, "\n\nhola\n", "the row stays as it is");
    let other = NewMessage { content: text("hola\n\nBob"), ..new_message };
    assert!(matches!(fixture.store.append(other).await, Err(StoreError::Conflict)));
}

async fn a_stranger_can_neither_write_nor_read_nor_use_up_a_seq(fixture: Fixture) {
    let eva = person(&fixture.store, "Eva").await;
    let before = fixture.say(fixture.ana, "uno").await.seq;
    assert!(matches!(fixture.store.append(fixture.new_message(eva, "hola")).await, Err(StoreError::NotFound)));
    assert!(fixture.store.replay(fixture.group, eva, 0, REPLAY_PAGE_BYTES).await.unwrap().is_none());
    assert!(fixture.store.history(fixture.group, eva, Anchor::End, 50).await.unwrap().is_none());
    assert!(matches!(fixture.store.mark_read(fixture.group, eva, 1).await, Err(StoreError::NotFound)));
    assert_eq!(fixture.say(fixture.ana, "dos").await.seq, before + 1);
    let nowhere = NewMessage { group_id: GroupId::new(Uuid::new_v4()), ..fixture.new_message(fixture.ana, "hola") };
    assert!(matches!(fixture.store.append(nowhere).await, Err(StoreError::NotFound)));
}

async fn seqs_have_no_hole_and_a_sender_keeps_the_order(fixture: Fixture) {
    let sends = (0..300).map(|number| {
        let author = if number % 2 == 0 { fixture.ana } else { fixture.bob };
        fixture.store.append(fixture.new_message(author, &number.to_string()))
    });
    let stored: Vec<Message> = join_all(sends).await.into_iter().map(|send| send.unwrap().message).collect();
    assert!(stored.is_sorted_by_key(|message| message.seq));
    let events = fixture.log().await;
    assert_eq!(seqs(&events), (1..=events.len() as u64).collect::<Vec<_>>());
    let texts: Vec<&str> = events.iter().filter_map(text_of).collect();
    assert_eq!(texts, (0..300).map(|number| number.to_string()).collect::<Vec<_>>());
}

/// All these wait when the writer looks, so one commit stores them.
async fn each_message_of_a_batch_gets_its_own_answer(fixture: Fixture) {
    let before = fixture.new_message(fixture.ana, "antes");
    let stored = fixture.store.append(before.clone()).await.unwrap().message;
    let stranger = person(&fixture.store, "Eva").await;
    let mut commits = fixture.store.commits();
    let one = fixture.new_message(fixture.ana, "uno");
    let batch = [
        one.clone(),
        fixture.new_message(stranger, "nadie"),
        before.clone(),
        fixture.new_message(fixture.bob, "dos"),
        NewMessage { content: text("otra cosa"), ..before },
        NewMessage { content: answer_to(one.id, "tres"), ..fixture.new_message(fixture.ana, "x") },
        one,
        fixture.new_message(fixture.ana, "cuatro"),
    ];
    let sends: Vec<_> = batch.into_iter().map(|new_message| fixture.store.append(new_message)).collect();
    let answers = join_all(sends).await.into_iter().map(|answer| match answer {
        Ok(Appended { message, duplicate }) => (message.content.body, message.seq - stored.seq, duplicate),
        Err(StoreError::NotFound) => ("not found".into(), 0, false),
        Err(StoreError::Conflict) => ("conflict".into(), 0, false),
        Err(error) => panic!("{error}"),
    });
    let expected = [
        ("uno", 1, false),
        ("not found", 0, false),
        ("antes", 0, true),
        ("dos", 2, false),
        ("conflict", 0, false),
        ("tres", 3, false),
        ("uno", 1, true),
        ("cuatro", 4, false),
    ];
    assert_eq!(
        answers.collect::<Vec<_>>(),
        expected.map(|(body, seq, is_repeated)| (body.to_owned(), seq, is_repeated))
    );
    let mut told = Vec::new();
    while told.len() < 4 {
        let effects = commits.recv().await.unwrap();
        told.extend(effects.into_iter().map(|effect| match effect {
            Effect::Event(event) => event.seq() - stored.seq,
            other @ (Effect::Moved(_)
            | Effect::Member(..)
            | Effect::GroupDeleted(..)
            | Effect::Closed(..)
            | Effect::Account(_)) => {
                panic!("{other:?}")
            }
        }));
    }
    assert_eq!(told, [1, 2, 3, 4], "the hub hears of each once, in the order of the log");
    assert_eq!(seqs(&fixture.log().await).last(), Some(&(stored.seq + 4)));
}

/// The rows of the batch are then not the last ones that were inserted.
#[tokio::test]
async fn rows_that_a_trigger_of_another_program_adds_confuse_no_answer() {
    let fixture = Fixture::new(Kind::Sqlite).await;
    let bot = "create trigger bot after insert on group_chat when new.message = '/hora' begin \
               insert into group_chat (user_id, group_id, message) values (new.user_id, new.group_id, 'las dos'); end";
    fixture.foreign().await.run(bot).await;
    let mut commits = fixture.store.commits();
    let texts = ["uno", "/hora", "dos"];
    let sends = texts.map(|text| fixture.store.append(fixture.new_message(fixture.ana, text)));
    let answers = join_all(sends).await.into_iter().map(|answer| answer.unwrap().message);
    let log = fixture.log().await;
    for message in answers {
        assert!(log.contains(&Event::NewMessage(message)));
    }
    assert_eq!(log.iter().filter_map(text_of).filter(|text| texts.contains(text)).count(), texts.len());
    assert_eq!(log.iter().filter_map(text_of).filter(|text| *text == "las dos").count(), 1);
    let effects = commits.recv().await.unwrap();
    let is_moved = |effect: &Effect| matches!(effect, Effect::Moved(group) if *group == fixture.group);
    assert!(effects.iter().any(is_moved), "the hub reads the log: {effects:?}");
}

async fn an_answer_needs_a_message_of_the_same_group(fixture: Fixture) {
    let question = fixture.say(fixture.bob, "¿Hoy?").await;
    let answer = NewMessage { content: answer_to(question.id, "Sí"), ..fixture.new_message(fixture.ana, "Sí") };
    assert_eq!(fixture.store.append(answer).await.unwrap().message.content.reply_to, Some(question.id));
    let other_group = GroupId::new(Uuid::new_v4());
    fixture.store.create_group(other_group, fixture.ana, NewGroup::named("Cusco")).await.unwrap();
    let misplaced = NewMessage {
        content: answer_to(question.id, "Sí"),
        group_id: other_group,
        ..fixture.new_message(fixture.ana, "Sí")
    };
    assert!(matches!(fixture.store.append(misplaced).await, Err(StoreError::NotFound)));
}

async fn only_authors_edit_and_only_authors_and_managers_delete(fixture: Fixture) {
    let of_bob = fixture.say(fixture.bob, "mío").await;
    let of_ana = fixture.say(fixture.ana, "mío").await;
    let body = MessageBody::parse("tuyo").unwrap();
    assert!(matches!(fixture.store.edit(fixture.ana, of_bob.id, body.clone(), None).await, Err(StoreError::Forbidden)));
    assert!(matches!(fixture.store.delete(fixture.bob, of_ana.id).await, Err(StoreError::Forbidden)));
    let eva = person(&fixture.store, "Eva").await;
    assert!(matches!(fixture.store.edit(eva, of_bob.id, body, None).await, Err(StoreError::NotFound)));
    fixture.store.delete(fixture.ana, of_bob.id).await.unwrap();
}

async fn what_was_acknowledged_is_there_after_the_database_is_opened_again(fixture: Fixture) {
    let Fixture { store, database, _folder, group, ana, .. } = fixture;
    let new_message = NewMessage {
        id: MessageId::new(Uuid::now_v7()),
        user_id: ana,
        group_id: group,
        content: Content::text(MessageBody::parse("hola").unwrap()),
        created_at: Timestamp::from_unix_micros(1),
    };
    let stored = store.append(new_message.clone()).await.unwrap().message;
    let epoch = store.group_state(group).await.unwrap().unwrap().epoch;
    store.close().await;
    assert!(matches!(store.append(new_message.clone()).await, Err(StoreError::Closed)));
    drop(store);
    let store = database.open().await;
    assert_eq!(store.append(new_message).await.unwrap().message, stored);
    assert_eq!(store.group_state(group).await.unwrap().unwrap().epoch, epoch);
}
