/* What looks most like the tokens of sign-in services, from Firebase to LinkedIn. */
#include "neighbour_fixture.h"

/* ---- Firebase, Auth0, Supabase */

static void firebase(void **state)
{
#define SIGN_IN(more)                                                                    \
	{                                                                                \
		"firebase", "{\"identities\":{}," more "}"                               \
	}
	static const struct neighbour all[] = {
		{ "by Google",
		  { SIGN_IN("\"sign_in_provider\":\"google.com\"") },
		  PROBLEM_NONE },
		{ "anonymous",
		  { SIGN_IN("\"sign_in_provider\":\"anonymous\""),
		    { "email", NULL },
		    { "email_verified", NULL } },
		  PROBLEM_TOKEN_CLAIMS },
		{ "by phone",
		  { SIGN_IN("\"sign_in_provider\":\"phone\""),
		    { "email", NULL },
		    { "email_verified", NULL },
		    { "phone_number", "\"+12025550123\"" } },
		  PROBLEM_EMAIL_MISSING },
		{ "of a tenant",
		  { SIGN_IN("\"sign_in_provider\":\"password\",\"tenant\":\"evil-x1\"") },
		  PROBLEM_TOKEN_CLAIMS },
		{ "of another project",
		  { { "iss", "\"https://securetoken.google.com/evil-app\"" },
		    { "aud", "\"evil-app\"" } },
		  PROBLEM_TOKEN_ISSUER },
		{ "for another project",
		  { { "aud", "\"evil-app\"" } },
		  PROBLEM_TOKEN_AUDIENCE },
		{ "session cookie",
		  { { "iss", "\"https://session.firebase.google.com/example-app\"" } },
		  PROBLEM_TOKEN_ISSUER },
		{ "App Check",
		  { { "iss",
		      "\"https://firebaseappcheck.googleapis.com/example-app\"" } },
		  PROBLEM_TOKEN_ISSUER },
		{ "Google",
		  { { "iss", "\"https://accounts.google.com\"" } },
		  PROBLEM_TOKEN_ISSUER },
		{ "sign-in as a word", { { "auth_time", "\"soon\"" } }, PROBLEM_NONE },
		{ "sign-in beyond time",
		  { { "auth_time", "1e300" } },
		  PROBLEM_TOKEN_CLAIMS },
		{ "sign-in before time",
		  { { "auth_time", "-1" } },
		  PROBLEM_TOKEN_CLAIMS },
	};

	(void)state;
	open_preset("firebase");
	EXPECT("firebase", all);
	open_changed("firebase", "audience = \"example-app\"\n"
				 "require = {\"/firebase/tenant=staff-a2\"}");
	expect_kind(
		"the tenant let in",
		token_of(profile_of("firebase"),
			 (struct member[]){ SIGN_IN("\"tenant\":\"staff-a2\""), NONE }),
		PROBLEM_NONE);
	expect_kind("no tenant", token_of(profile_of("firebase"), NULL),
		    PROBLEM_TOKEN_CLAIMS);
}

static void auth0(void **state)
{
	static const struct neighbour all[] = {
		{ "access token",
		  { { "aud", "[\"https://api.example.com\","
			     "\"https://example.eu.auth0.com/userinfo\"]" },
		    { "azp", "\"aB3dE5fG7hJ9\"" },
		    { "scope", "\"openid email\"" } },
		  PROBLEM_TOKEN_AUDIENCE },
		{ "machine to machine",
		  { { "aud", "\"https://api.example.com\"" },
		    { "azp", "\"aB3dE5fG7hJ9\"" },
		    { "gty", "\"client-credentials\"" },
		    { "email", NULL } },
		  PROBLEM_TOKEN_AUDIENCE },
		{ "another tenant",
		  { { "iss", "\"https://evil.eu.auth0.com/\"" } },
		  PROBLEM_TOKEN_ISSUER },
		{ "without its slash",
		  { { "iss", "\"https://example.eu.auth0.com\"" } },
		  PROBLEM_TOKEN_ISSUER },
	};

	(void)state;
	open_preset("auth0");
	EXPECT("auth0", all);
}

static void supabase(void **state)
{
	static const struct neighbour all[] = {
		{ "older server", { { "is_anonymous", NULL } }, PROBLEM_NONE },
		{ "aud as a list", { { "aud", "[\"authenticated\"]" } }, PROBLEM_NONE },
		{ "methods as words", { { "amr", "[\"password\"]" } }, PROBLEM_NONE },
		{ "anonymous", { { "is_anonymous", "true" } }, PROBLEM_TOKEN_CLAIMS },
		{ "perhaps anonymous",
		  { { "is_anonymous", "{}" } },
		  PROBLEM_TOKEN_CLAIMS },
		{ "anon key", { { "role", "\"anon\"" } }, PROBLEM_TOKEN_CLAIMS },
		{ "service key",
		  { { "role", "\"service_role\"" } },
		  PROBLEM_TOKEN_CLAIMS },
		{ "no role", { { "role", NULL } }, PROBLEM_TOKEN_CLAIMS },
		{ "by phone",
		  { { "email", "\"\"" }, { "phone", "\"12025550123\"" } },
		  PROBLEM_EMAIL_MISSING },
		{ "another project",
		  { { "iss", "\"https://evilevilevilevilevil.supabase.co/auth/v1\"" } },
		  PROBLEM_TOKEN_ISSUER },
		{ "API key", { { "iss", "\"supabase\"" } }, PROBLEM_TOKEN_ISSUER },
	};

	(void)state;
	open_preset("supabase");
	EXPECT("supabase", all);
	/*
	 * Until somebody who knows the project says that addresses are confirmed there.
	 */
	open_changed("supabase", "issuer = \"" SUPABASE "\"");
	expect_kind("what the user wrote", token_of(profile_of("supabase"), NULL),
		    PROBLEM_EMAIL_UNVERIFIED);
}

/* ---- Stytch, Hanko, Keycloak */

static void stytch(void **state)
{
#define SESSION(list)                                                                    \
	{                                                                                \
		"https://stytch.com/session", FACTORS(list)                              \
	}
	static const struct neighbour all[] = {
		{ "code by email",
		  { SESSION(FACTOR("otp", "email", TO_EMAIL)) },
		  PROBLEM_NONE },
		{ "and a second factor",
		  { SESSION(FACTOR("magic_link", "email", TO_EMAIL) "," FACTOR(
			  "totp", "authenticator_app", "")) },
		  PROBLEM_NONE },
		{ "OAuth",
		  { SESSION(FACTOR(
			  "oauth", "oauth_google",
			  ",\"google_oauth_factor\":{\"provider_subject\":\"1\"}")) },
		  PROBLEM_EMAIL_MISSING },
		{ "text message",
		  { SESSION(FACTOR("otp", "sms", ",\"phone_number_factor\":{}")) },
		  PROBLEM_EMAIL_MISSING },
		{ "password",
		  { SESSION(FACTOR("password", "knowledge", TO_EMAIL)) },
		  PROBLEM_EMAIL_UNVERIFIED },
		{ "link of one's own server",
		  { SESSION(FACTOR("magic_link", "embedded", TO_EMAIL)) },
		  PROBLEM_EMAIL_UNVERIFIED },
		{ "no factor", { SESSION("") }, PROBLEM_EMAIL_MISSING },
		{ "no session",
		  { { "https://stytch.com/session", NULL } },
		  PROBLEM_EMAIL_MISSING },
		{ "an email claim",
		  { { "https://stytch.com/session", NULL }, EMAIL },
		  PROBLEM_EMAIL_MISSING },
		{ "test project",
		  { { "iss", "\"stytch.com/project-test-0a1b\"" },
		    { "aud", "[\"project-test-0a1b\"]" } },
		  PROBLEM_TOKEN_ISSUER },
		{ "aud of another",
		  { { "aud", "[\"project-live-evil\"]" } },
		  PROBLEM_TOKEN_AUDIENCE },
		{ "with a scheme",
		  { { "iss", "\"https://stytch.com/" STYTCH_ID "\"" } },
		  PROBLEM_TOKEN_ISSUER },
	};

	(void)state;
	open_preset("stytch");
	EXPECT("stytch", all);
}

static void hanko(void **state)
{
#define HANKO(verified)                                                                  \
	{                                                                                \
		"email", "{\"address\":\"Alice@Example.com\",\"is_primary\":"            \
			 "true" verified "}"                                             \
	}
	static const struct neighbour all[] = {
		{ "as a word", { HANKO(",\"is_verified\":\"true\"") }, PROBLEM_NONE },
		{ "false as a word",
		  { HANKO(",\"is_verified\":\"false\"") },
		  PROBLEM_EMAIL_UNVERIFIED },
		{ "a number", { HANKO(",\"is_verified\":1") }, PROBLEM_EMAIL_UNVERIFIED },
		{ "a list",
		  { HANKO(",\"is_verified\":[true]") },
		  PROBLEM_EMAIL_UNVERIFIED },
		{ "nothing said", { HANKO("") }, PROBLEM_EMAIL_UNVERIFIED },
		{ "said elsewhere",
		  { HANKO(""), { "email_verified", "true" } },
		  PROBLEM_EMAIL_UNVERIFIED },
		{ "no object",
		  { EMAIL, { "email_verified", "true" } },
		  PROBLEM_EMAIL_MISSING },
		{ "a list of objects",
		  { { "email",
		      "[{\"address\":\"alice@example.com\",\"is_verified\":true}]" } },
		  PROBLEM_EMAIL_MISSING },
		{ "another site",
		  { { "aud", "[\"evil.example\"]" } },
		  PROBLEM_TOKEN_AUDIENCE },
		{ "a site below",
		  { { "aud", "[\"www.example.com\"]" } },
		  PROBLEM_TOKEN_AUDIENCE },
		{ "another tenant",
		  { { "iss", "\"https://e0e1.hanko.io\"" } },
		  PROBLEM_TOKEN_ISSUER },
		{ "issuer not configured", { { "iss", NULL } }, PROBLEM_TOKEN_ISSUER },
	};

	(void)state;
	open_preset("hanko");
	EXPECT("hanko", all);
}

static void keycloak(void **state)
{
	static const struct neighbour all[] = {
		{ "access token",
		  { { "typ", "\"Bearer\"" }, { "aud", "\"account\"" } },
		  PROBLEM_NONE },
		{ "access token for an API",
		  { { "typ", "\"Bearer\"" }, { "aud", "[\"api\",\"account\"]" } },
		  PROBLEM_NONE },
		{ "access token without aud",
		  { { "typ", "\"Bearer\"" }, { "aud", NULL } },
		  PROBLEM_NONE },
		{ "access token that another client got for us",
		  { { "typ", "\"Bearer\"" },
		    { "aud", "[\"shop\"]" },
		    { "azp", "\"other\"" } },
		  PROBLEM_TOKEN_AUDIENCE },
		{ "ID token of another client",
		  { { "aud", "\"other\"" }, { "azp", "\"other\"" } },
		  PROBLEM_TOKEN_AUDIENCE },
		{ "ID token for another client",
		  { { "aud", "\"other\"" } },
		  PROBLEM_TOKEN_AUDIENCE },
		{ "ID token without aud", { { "aud", NULL } }, PROBLEM_TOKEN_AUDIENCE },
		{ "refresh token",
		  { { "typ", "\"Refresh\"" }, { "aud", "\"" KEYCLOAK "\"" } },
		  PROBLEM_TOKEN_KIND },
		{ "offline token", { { "typ", "\"Offline\"" } }, PROBLEM_TOKEN_KIND },
		{ "logout token", { { "typ", "\"Logout\"" } }, PROBLEM_TOKEN_KIND },
		{ "lower case", { { "typ", "\"id\"" } }, PROBLEM_TOKEN_KIND },
		{ "no kind", { { "typ", NULL } }, PROBLEM_TOKEN_KIND },
		{ "service account",
		  { { "typ", "\"Bearer\"" },
		    { "email", NULL },
		    { "email_verified", "false" } },
		  PROBLEM_EMAIL_MISSING },
		{ "another realm",
		  { { "iss", "\"https://sso.example.com/realms/master\"" } },
		  PROBLEM_TOKEN_ISSUER },
		{ "older path",
		  { { "iss", "\"https://sso.example.com/auth/realms/staff\"" } },
		  PROBLEM_TOKEN_ISSUER },
	};

	(void)state;
	open_preset("keycloak");
	EXPECT("keycloak", all);
	expect_kind("a realm with ES256",
		    maker_token(arena, ec, JWS_ES256, header_of(JWS_ES256, "ec"),
				claims_of(profile_of("keycloak"), NULL)),
		    PROBLEM_NONE);
	/* The ID token alone, as the standard has it. */
	open_changed("keycloak", "audience = shop issuer = \"" KEYCLOAK "\"\n"
				 "audience_claim = aud require = {\"typ=ID\"}");
	expect_kind("ID token", token_of(profile_of("keycloak"), NULL), PROBLEM_NONE);
	expect_all("keycloak",
		   &(struct neighbour){ "access token",
					{ { "typ", "\"Bearer\"" } },
					PROBLEM_TOKEN_KIND },
		   1);
}

/* ---- Clerk, Descope, Corbado, LinkedIn */

static void clerk(void **state)
{
	static const struct neighbour all[] = {
		{ "first version",
		  { { "sts", NULL }, { "fva", NULL }, { "v", NULL } },
		  PROBLEM_NONE },
		{ "pending", { { "sts", "\"pending\"" } }, PROBLEM_TOKEN_CLAIMS },
		{ "another site",
		  { { "azp", "\"https://evil.example\"" } },
		  PROBLEM_TOKEN_AUDIENCE },
		{ "a site below",
		  { { "azp", "\"https://app.example.com\"" } },
		  PROBLEM_TOKEN_AUDIENCE },
		{ "a slash more",
		  { { "azp", "\"https://www.example.com/\"" } },
		  PROBLEM_TOKEN_AUDIENCE },
		{ "no site, but aud",
		  { { "azp", NULL }, { "aud", "\"https://www.example.com\"" } },
		  PROBLEM_TOKEN_AUDIENCE },
		{ "as Clerk has it by default",
		  { { "email", NULL }, { "email_verified", NULL } },
		  PROBLEM_EMAIL_MISSING },
		{ "development",
		  { { "iss", "\"https://calm-owl-1.clerk.accounts.dev\"" } },
		  PROBLEM_TOKEN_ISSUER },
	};

	(void)state;
	open_preset("clerk");
	EXPECT("clerk", all);
}

static void descope(void **state)
{
	static const struct neighbour all[] = {
		{ "and a second factor",
		  { { "amr", "[\"email\",\"mfa\",\"totp\"]" } },
		  PROBLEM_NONE },
		{ "our aud",
		  { { "aud", "[\"P2Pq03wpnnjxJajSUKDuy2xviLNV\"]" } },
		  PROBLEM_NONE },
		{ "refresh token", { { "drn", "\"DSR\"" } }, PROBLEM_TOKEN_KIND },
		{ "OAuth", { { "amr", "[\"oauth\"]" } }, PROBLEM_EMAIL_UNVERIFIED },
		{ "password", { { "amr", "[\"pwd\"]" } }, PROBLEM_EMAIL_UNVERIFIED },
		{ "no methods", { { "amr", NULL } }, PROBLEM_EMAIL_UNVERIFIED },
		{ "by default", { { "email", NULL } }, PROBLEM_EMAIL_MISSING },
		{ "another project",
		  { { "iss", "\"P2evil03wpnnjxJajSUKDuy2xviLN\"" } },
		  PROBLEM_TOKEN_ISSUER },
		{ "as a URL",
		  { { "iss",
		      "\"https://api.descope.com/P2Pq03wpnnjxJajSUKDuy2xviLNV\"" } },
		  PROBLEM_TOKEN_ISSUER },
	};

	(void)state;
	open_preset("descope");
	EXPECT("descope", all);
}

static void corbado(void **state)
{
	static const struct neighbour all[] = {
		{ "older host",
		  { { "iss",
		      "\"https://pro-4268394291597054564.frontendapi.corbado.io\"" } },
		  PROBLEM_NONE },
		{ "another project",
		  { { "iss", "\"https://pro-1.frontendapi.cloud.corbado.io\"" } },
		  PROBLEM_TOKEN_ISSUER },
		{ "without an address", { { "email", NULL } }, PROBLEM_EMAIL_MISSING },
	};

	(void)state;
	open_preset("corbado");
	EXPECT("corbado", all);
	open_changed("corbado", "audience = \"pro-4268394291597054564\"");
	expect_kind("nobody said it is verified", token_of(profile_of("corbado"), NULL),
		    PROBLEM_EMAIL_UNVERIFIED);
}

static void linkedin(void **state)
{
	static const struct neighbour all[] = {
		{ "as a boolean", { { "email_verified", "true" } }, PROBLEM_NONE },
		{ "short issuer",
		  { { "iss", "\"https://www.linkedin.com\"" } },
		  PROBLEM_TOKEN_ISSUER },
	};

	(void)state;
	open_preset("linkedin");
	EXPECT("linkedin", all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(firebase), TEST(auth0),	TEST(supabase), TEST(stytch),
		TEST(hanko),	TEST(keycloak), TEST(clerk),	TEST(descope),
		TEST(corbado),	TEST(linkedin),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
