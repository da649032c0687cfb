use serde_json::{Value, json};

use super::*;

const SECRET: &str = "3q2-7wFvT9x_Zk1LmN0pQr5sUu8yAbCd";
const ANA: &str = "0b1f3d52-4f47-4a61-9c55-6a0f35b7c001";

fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

fn tokens() -> Tokens {
    Tokens::new(&SECRET.into(), None, None)
}

fn signed(header: &Header, claims: &Value, secret: &str) -> String {
    jsonwebtoken::encode(header, claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap()
}

fn hs256(claims: &Value) -> String {
    signed(&Header::new(Algorithm::HS256), claims, SECRET)
}

#[test]
fn an_own_token_is_known_again() {
    let minted = tokens().mint(ANA.parse().unwrap(), now()).unwrap();
    let verified = tokens().verify(&minted.token).unwrap();
    assert_eq!(verified.user_id.to_string(), ANA);
    assert_eq!(verified.expires_at.duration_since(UNIX_EPOCH).unwrap().as_secs(), minted.expires_at.unsigned_abs());
    assert_eq!(minted.expires_at - now(), 900);
}

#[test]
fn a_token_of_the_hosts_backend_brings_its_name() {
    let name = |claims: Value| tokens().verify(&hs256(&claims)).unwrap().display_name;
    let later = now() + 60;
    assert_eq!(name(json!({"sub": ANA, "exp": later})), None);
    assert_eq!(name(json!({"sub": ANA, "exp": later, "role": "authenticated", "name": "Ana"})).unwrap(), "Ana");
    let supabase = json!({"sub": ANA, "exp": later, "aud": "authenticated", "user_metadata": {"full_name": "Ana M"}});
    assert_eq!(name(supabase).unwrap(), "Ana M");
    assert_eq!(name(json!({"sub": ANA, "exp": later, "name": 7, "user_metadata": "x"})), None);
}

#[test]
fn bad_tokens_are_refused() {
    let later = now() + 60;
    let good = json!({"sub": ANA, "exp": later});
    let with = |key: &str, value: Value| {
        let mut claims = good.clone();
        claims[key] = value;
        claims
    };
    assert!(tokens().verify(&hs256(&good)).is_some());
    for (name, claims) in [
        ("expired", with("exp", json!(now() - 31))),
        ("negative exp", with("exp", json!(-1))),
        ("exp as text", with("exp", json!("tomorrow"))),
        ("exp beyond time", with("exp", json!(u64::MAX))),
        ("no exp", json!({"sub": ANA})),
        ("not yet", with("nbf", json!(now() + 60))),
        ("no sub", json!({"exp": later})),
        ("sub is no UUID", with("sub", json!("ana"))),
        ("sub is a number", with("sub", json!(7))),
        ("anonymous key", with("role", json!("anon"))),
        ("service key", with("role", json!("service_role"))),
        ("role is no text", with("role", json!(["authenticated"]))),
    ] {
        assert_eq!(tokens().verify(&hs256(&claims)), None, "{name}");
    }
}

#[test]
fn only_our_algorithm_and_key_count() {
    let claims = json!({"sub": ANA, "exp": now() + 60});
    let hs256 = Header::new(Algorithm::HS256);
    assert_eq!(tokens().verify(&signed(&hs256, &claims, "another key of thirty-two bytes!!")), None);
    assert_eq!(tokens().verify(&signed(&Header::new(Algorithm::HS512), &claims, SECRET)), None);
    let good = signed(&hs256, &claims, SECRET);
    let (_, rest) = good.split_once('.').unwrap();
    // {"alg":"none"} in front of signed claims, and without any signature.
    assert_eq!(tokens().verify(&format!("eyJhbGciOiJub25lIn0.{rest}")), None);
    let (claims_part, _) = rest.split_once('.').unwrap();
    assert_eq!(tokens().verify(&format!("eyJhbGciOiJub25lIn0.{claims_part}.")), None);
    let mut traversal = Header::new(Algorithm::HS256);
    traversal.kid = Some("../../x".into());
    assert!(tokens().verify(&signed(&traversal, &claims, SECRET)).is_some(), "a key id chooses nothing here");
    for junk in ["", ".", "..", "a.b.c", "Bearer x", &"x".repeat(2 * 1024 * 1024)] {
        assert_eq!(tokens().verify(junk), None);
    }
}

#[test]
fn issuer_and_audience_are_demanded_where_configured() {
    let strict = Tokens::new(&SECRET.into(), Some("https://host".into()), Some("chat".into()));
    let claims = |iss: &str, aud: Value| hs256(&json!({"sub": ANA, "exp": now() + 60, "iss": iss, "aud": aud}));
    assert!(strict.verify(&claims("https://host", json!("chat"))).is_some());
    assert!(strict.verify(&claims("https://host", json!(["other", "chat"]))).is_some());
    assert_eq!(strict.verify(&claims("https://host", json!("other"))), None);
    assert_eq!(strict.verify(&claims("https://evil", json!("chat"))), None);
    assert_eq!(strict.verify(&hs256(&json!({"sub": ANA, "exp": now() + 60}))), None);
    let own = strict.mint(ANA.parse().unwrap(), now()).unwrap();
    assert!(strict.verify(&own.token).is_some());
}
