use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::*;

const SECRET: &str = "3q2-7wFvT9x_Zk1LmN0pQr5sUu8yAbCd";
const SUPABASE_SECRET: &str = "tR8-2kLmP0q_Ws5XyZ1vBn7cDd4eFgHi";
const ANA: &str = "0b1f3d52-4f47-4a61-9c55-6a0f35b7c001";

fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

fn tokens() -> Tokens {
    Tokens::new(&SECRET.into(), None, None)
}

async fn verify(token: &str) -> Option<VerifiedToken> {
    tokens().verify(token).await.ok()
}

fn signed(header: &Header, claims: &Value, secret: &str) -> String {
    jsonwebtoken::encode(header, claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap()
}

fn hs256(claims: &Value) -> String {
    signed(&Header::new(Algorithm::HS256), claims, SECRET)
}

#[tokio::test]
async fn an_own_token_is_known_again_with_its_sign_in() {
    let minted = tokens().mint(ANA.parse().unwrap(), Some([7; 32]), now()).unwrap();
    let verified = verify(&minted.token).await.unwrap();
    assert_eq!(verified.user_id.to_string(), ANA);
    assert_eq!(verified.expires_at, minted.expires_at);
    assert_eq!((verified.session, verified.is_guest), (Some([7; 32]), false));
    assert_eq!(minted.expires_at - verified.issued_at.unwrap(), 900);
    let broken = hs256(&json!({"sub": ANA, "exp": now() + 60, "caravana_session": "x"}));
    assert_eq!(verify(&broken).await, None);
}

#[tokio::test]
async fn a_token_of_the_hosts_backend_brings_its_name() {
    let later = now() + 60;
    for (claims, name) in [
        (json!({}), None),
        (json!({"role": "authenticated", "name": "Ana"}), Some("Ana")),
        (json!({"aud": "authenticated", "user_metadata": {"full_name": "Ana M"}}), Some("Ana M")),
        (json!({"name": " \u{200b} ", "user_metadata": {"name": "Ana"}}), Some("Ana")),
        (json!({"name": format!(" {}", "ñ".repeat(200))}), Some(&*"ñ".repeat(60))),
        (json!({"name": "An\u{202e}a"}), Some("Ana")),
        (json!({"name": 7, "user_metadata": "x"}), None),
    ] {
        let mut all = json!({"sub": ANA, "exp": later});
        all.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
        assert_eq!(verify(&hs256(&all)).await.unwrap().display_name.as_deref(), name, "{claims}");
    }
}

#[tokio::test]
async fn bad_tokens_are_refused() {
    let later = now() + 60;
    let good = json!({"sub": ANA, "exp": later});
    let with = |key: &str, value: Value| {
        let mut claims = good.clone();
        claims[key] = value;
        claims
    };
    assert!(verify(&hs256(&good)).await.is_some());
    assert!(verify(&hs256(&with("exp", json!(now() - 25)))).await.is_some(), "clocks differ");
    #[expect(clippy::cast_precision_loss, reason = "a moment of this century is exact")]
    let fraction = now() as f64 + 60.5;
    assert_eq!(verify(&hs256(&with("exp", json!(fraction)))).await.unwrap().expires_at, later);
    for (name, claims) in [
        ("expired", with("exp", json!(now() - 31))),
        ("negative exp", with("exp", json!(-1))),
        ("exp as text", with("exp", json!("tomorrow"))),
        ("exp as a number in text", with("exp", json!(later.to_string()))),
        ("exp beyond time", with("exp", json!(u64::MAX))),
        ("exp beyond the year 9999", with("exp", json!(i64::MAX))),
        ("exp is null", with("exp", Value::Null)),
        ("no exp", json!({"sub": ANA})),
        ("not yet", with("nbf", json!(now() + 60))),
        ("nbf as text", with("nbf", json!("now"))),
        ("no sub", json!({"exp": later})),
        ("sub is no UUID", with("sub", json!("ana"))),
        ("sub is a number", with("sub", json!(7))),
        ("anonymous key", with("role", json!("anon"))),
        ("service key", with("role", json!("service_role"))),
        ("role is no text", with("role", json!(["authenticated"]))),
        ("is_anonymous is no boolean", with("is_anonymous", json!("true"))),
    ] {
        assert_eq!(verify(&hs256(&claims)).await, None, "{name}");
    }
}

#[tokio::test]
async fn only_our_algorithm_and_key_count() {
    let claims = json!({"sub": ANA, "exp": now() + 60});
    let hs256 = Header::new(Algorithm::HS256);
    assert_eq!(verify(&signed(&hs256, &claims, "another key of thirty-two bytes!!")).await, None);
    assert_eq!(verify(&signed(&Header::new(Algorithm::HS512), &claims, SECRET)).await, None);
    let good = signed(&hs256, &claims, SECRET);
    let (_, rest) = good.split_once('.').unwrap();
    // Signed claims with the header {"alg":"none"}, with and without a signature.
    assert_eq!(verify(&format!("eyJhbGciOiJub25lIn0.{rest}")).await, None);
    let (claims_part, _) = rest.split_once('.').unwrap();
    assert_eq!(verify(&format!("eyJhbGciOiJub25lIn0.{claims_part}.")).await, None);
    for (id, is_good) in [("tTVsUaN1q8/+XZWY", true), ("../../x", false), ("/dev/null\0", false), ("", false)] {
        let header = Header { kid: Some(id.into()), ..hs256.clone() };
        assert_eq!(verify(&signed(&header, &claims, SECRET)).await.is_some(), is_good, "{id}");
    }
    let critical = Header { crit: Some(vec!["b64".into()]), ..hs256.clone() };
    assert_eq!(verify(&signed(&critical, &claims, SECRET)).await, None);
    for junk in ["", ".", "..", "a.b.c", "Bearer x", &"x".repeat(2 * 1024 * 1024)] {
        assert_eq!(verify(junk).await, None);
    }
}

#[tokio::test]
async fn issuer_and_audience_are_demanded_where_configured() {
    let strict = Tokens::new(&SECRET.into(), Some("https://host".into()), Some("chat".into()));
    let claims = |iss: &str, aud: Value| hs256(&json!({"sub": ANA, "exp": now() + 60, "iss": iss, "aud": aud}));
    for (name, token, is_good) in [
        ("right", claims("https://host", json!("chat")), true),
        ("one of several", claims("https://host", json!(["other", "chat"])), true),
        ("wrong audience", claims("https://host", json!("other")), false),
        ("wrong issuer", claims("https://evil", json!("chat")), false),
        ("none", hs256(&json!({"sub": ANA, "exp": now() + 60})), false),
        ("own", strict.mint(ANA.parse().unwrap(), None, now()).unwrap().token, true),
    ] {
        assert_eq!(strict.verify(&token).await.is_ok(), is_good, "{name}");
    }
}

#[tokio::test]
async fn supabase_s_secret_lets_its_people_in_and_nobody_else() {
    let (secret, issuer) = (SUPABASE_SECRET.into(), "https://abc.supabase.co/auth/v1");
    let tokens = tokens().with_supabase(Supabase { secret: Some(&secret), issuer: Some(issuer.into()), keys: None });
    let good = json!({
        "sub": ANA, "exp": now() + 60, "iss": issuer, "aud": "authenticated", "role": "authenticated",
        "is_anonymous": true, "session_id": "3f1c", "amr": [{"method": "anonymous"}]
    });
    let token = |claims: &Value| signed(&Header::new(Algorithm::HS256), claims, SUPABASE_SECRET);
    let verified = tokens.verify(&token(&good)).await.unwrap();
    assert_eq!((verified.is_guest, verified.session), (true, None));
    for (claim, value) in [
        ("role", json!("anon")),
        ("role", json!("service_role")),
        ("role", Value::Null),
        ("iss", json!("https://evil.supabase.co/auth/v1")),
        ("iss", Value::Null),
        ("aud", json!("other")),
        ("aud", Value::Null),
    ] {
        let mut claims = good.clone();
        claims[claim] = value.clone();
        assert_eq!(tokens.verify(&token(&claims)).await, Err(TokenError::Bad), "{claim}: {value}");
    }
    // Only our own tokens name one of our sign-ins.
    let mut claims = good.clone();
    claims["caravana_session"] = json!("x");
    assert_eq!(tokens.verify(&token(&claims)).await.unwrap().session, None);
    assert!(tokens.verify(&hs256(&json!({"sub": ANA, "exp": now() + 60}))).await.is_ok(), "ours are as they were");
}
