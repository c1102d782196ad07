/* What looks most like each provider's token, and several providers beside each other. */
#include "preset_profiles.h"

#define NONE                                                                             \
	{                                                                                \
		NULL, NULL                                                               \
	}

/* A token of the profile with these changes, and what a login with it comes to. */
struct neighbour {
	const char *what;
	struct member changes[6];
	enum problem_kind kind;
};

static void expect_all(const char *preset, const struct neighbour *all, size_t count)
{
	const struct profile *p = profile_of(preset);

	for (size_t i = 0; i < count; i++)
		expect_kind(all[i].what, token_of(p, all[i].changes), all[i].kind);
}

#define EXPECT(preset, list) expect_all(preset, list, COUNT(list))

static void open_preset(const char *preset)
{
	open_profile(profile_of(preset));
}

/* The profile's block with some of it said otherwise. */
static void open_changed(const char *preset, const char *block)
{
	open_providers(arena_printf(arena,
				    SITE "provider \"p\" { preset = %s %s " PINNED " }\n",
				    preset, block)
			       .data);
}

/* ---- Cotter, Google, Apple */

static void cotter(void **state)
{
	static const struct neighbour all[] = {
		{ "newer kind", { { "type", "\"access_token\"" } }, PROBLEM_NONE },
		{ "ID token",
		  { { "type", "\"client_id_token\"" },
		    { "scope", NULL },
		    { "authentication_method", NULL } },
		  PROBLEM_TOKEN_KIND },
		{ "no kind", { { "type", NULL } }, PROBLEM_TOKEN_KIND },
		{ "no scope", { { "scope", NULL } }, PROBLEM_TOKEN_KIND },
		{ "other scope",
		  { { "scope", "\"access admin\"" } },
		  PROBLEM_TOKEN_KIND },
		{ "magic link",
		  { { "authentication_method", "\"MAGIC_LINK\"" } },
		  PROBLEM_NONE },
		{ "WebAuthn",
		  { { "authentication_method", "\"WEBAUTHN\"" } },
		  PROBLEM_NONE },
		{ "social login",
		  { { "authentication_method", "\"SOCIAL_LOGIN\"" } },
		  PROBLEM_NONE },
		{ "PIN",
		  { { "authentication_method", "\"PIN\"" } },
		  PROBLEM_EMAIL_UNVERIFIED },
		{ "biometric",
		  { { "authentication_method", "\"BIOMETRIC\"" } },
		  PROBLEM_EMAIL_UNVERIFIED },
		{ "no method",
		  { { "authentication_method", NULL } },
		  PROBLEM_EMAIL_UNVERIFIED },
		{ "phone number",
		  { { "identifier", "\"+12025550123\"" } },
		  PROBLEM_EMAIL_MISSING },
		{ "user name", { { "identifier", "\"alice\"" } }, PROBLEM_EMAIL_REFUSED },
		{ "before identifiers",
		  { { "identifier", NULL } },
		  PROBLEM_EMAIL_MISSING },
		{ "claims of one's own",
		  { { "events", "[\"party\"]" }, { "tid", "7" } },
		  PROBLEM_NONE },
	};

	(void)state;
	open_preset("cotter");
	EXPECT("cotter", all);
}

static void google(void **state)
{
	static const struct neighbour all[] = {
		{ "short issuer",
		  { { "iss", "\"accounts.google.com\"" } },
		  PROBLEM_NONE },
		{ "its azp",
		  { { "azp", "\"407-web.apps.googleusercontent.com\"" } },
		  PROBLEM_NONE },
		{ "another's, with ours as azp",
		  { { "azp", "\"407-web.apps.googleusercontent.com\"" },
		    { "aud", "\"666-web.apps.googleusercontent.com\"" } },
		  PROBLEM_TOKEN_AUDIENCE },
		{ "Firebase",
		  { { "iss", "\"https://securetoken.google.com/example-app\"" } },
		  PROBLEM_TOKEN_ISSUER },
		{ "no domain", { { "hd", NULL } }, PROBLEM_NONE },
	};
	static const struct neighbour of_domain[] = {
		{ "its domain", { NONE }, PROBLEM_NONE },
		{ "another domain",
		  { { "hd", "\"example.org\"" } },
		  PROBLEM_TOKEN_CLAIMS },
		{ "gmail.com", { { "hd", NULL } }, PROBLEM_TOKEN_CLAIMS },
	};

	(void)state;
	open_preset("google");
	EXPECT("google", all);
	open_changed("google", "audience = \"407-web.apps.googleusercontent.com\"\n"
			       "require = {\"hd=example.com\"}");
	EXPECT("google", of_domain);
}

static void apple(void **state)
{
	static const struct neighbour all[] = {
		{ "the app", { { "aud", "\"com.example.app\"" } }, PROBLEM_NONE },
		{ "another app",
		  { { "aud", "\"com.example\"" } },
		  PROBLEM_TOKEN_AUDIENCE },
		{ "booleans",
		  { { "email_verified", "true" }, { "is_private_email", "false" } },
		  PROBLEM_NONE },
		{ "own address", { EMAIL, { "is_private_email", NULL } }, PROBLEM_NONE },
		{ "school account",
		  { { "email", "\"\"" },
		    { "email_verified", NULL },
		    { "is_private_email", NULL } },
		  PROBLEM_EMAIL_MISSING },
		{ "notification",
		  { { "sub", NULL },
		    { "email", NULL },
		    { "email_verified", NULL },
		    { "events", "\"{\\\"type\\\":\\\"email-enabled\\\","
				"\\\"sub\\\":\\\"001234.0b1c2d3e4f5a.0815\\\"}\"" } },
		  PROBLEM_TOKEN_CLAIMS },
	};

	(void)state;
	open_preset("apple");
	EXPECT("apple", all);
}

/* ---- Microsoft: one issuer for each tenant */

static void microsoft(void **state)
{
	static const struct neighbour all[] = {
		{ "edov as a string", { { "xms_edov", "\"1\"" } }, PROBLEM_NONE },
		{ "edov as a number", { { "xms_edov", "1" } }, PROBLEM_NONE },
		{ "edov as a word", { { "xms_edov", "\"true\"" } }, PROBLEM_NONE },
		{ "edov 0", { { "xms_edov", "\"0\"" } }, PROBLEM_EMAIL_UNVERIFIED },
		{ "edov false",
		  { { "xms_edov", "\"false\"" } },
		  PROBLEM_EMAIL_UNVERIFIED },
		{ "edov list", { { "xms_edov", "[true]" } }, PROBLEM_EMAIL_UNVERIFIED },
		{ "edov not asked for",
		  { { "xms_edov", NULL } },
		  PROBLEM_EMAIL_UNVERIFIED },
		{ "email_verified means nothing here",
		  { { "xms_edov", NULL }, { "email_verified", "true" } },
		  PROBLEM_EMAIL_UNVERIFIED },
		{ "preferred_username is no address",
		  { { "email", NULL } },
		  PROBLEM_EMAIL_MISSING },
		{ "another tenant",
		  { { "tid", "\"" OTHER_TENANT "\"" },
		    { "iss", "\"" ENTRA OTHER_TENANT "/v2.0\"" } },
		  PROBLEM_NONE },
		{ "tid of another tenant",
		  { { "tid", "\"" OTHER_TENANT "\"" } },
		  PROBLEM_TOKEN_ISSUER },
		{ "issuer of another tenant",
		  { { "iss", "\"" ENTRA OTHER_TENANT "/v2.0\"" } },
		  PROBLEM_TOKEN_ISSUER },
		{ "no tid", { { "tid", NULL } }, PROBLEM_TOKEN_ISSUER },
		{ "tid list", { { "tid", "[\"" TENANT "\"]" } }, PROBLEM_TOKEN_ISSUER },
		{ "common",
		  { { "tid", "\"common\"" }, { "iss", "\"" ENTRA "common/v2.0\"" } },
		  PROBLEM_TOKEN_ISSUER },
		{ "the template",
		  { { "tid", "\"{tenantid}\"" },
		    { "iss", "\"" ENTRA "{tenantid}/v2.0\"" } },
		  PROBLEM_TOKEN_ISSUER },
		{ "nothing",
		  { { "tid", "\"\"" }, { "iss", "\"" ENTRA "/v2.0\"" } },
		  PROBLEM_TOKEN_ISSUER },
		{ "upper case",
		  { { "tid", "\"5F3A9C1E-0B7D-4E2A-8C46-D1E0F2A3B4C5\"" },
		    { "iss", "\"" ENTRA "5F3A9C1E-0B7D-4E2A-8C46-D1E0F2A3B4C5/v2.0\"" } },
		  PROBLEM_TOKEN_ISSUER },
		{ "a path",
		  { { "tid", "\"5f3a9c1e-0b7d-4e2a-8c46-d1e0f2a/../x\"" },
		    { "iss", "\"" ENTRA "5f3a9c1e-0b7d-4e2a-8c46-d1e0f2a/../x/v2.0\"" } },
		  PROBLEM_TOKEN_ISSUER },
		{ "no dashes",
		  { { "tid", "\"5f3a9c1e00b7d04e2a08c460d1e0f2a3b4c5\"" },
		    { "iss", "\"" ENTRA "5f3a9c1e00b7d04e2a08c460d1e0f2a3b4c5/v2.0\"" } },
		  PROBLEM_TOKEN_ISSUER },
		{ "version 1",
		  { { "iss", "\"https://sts.windows.net/" TENANT "/\"" } },
		  PROBLEM_TOKEN_ISSUER },
		{ "another cloud",
		  { { "iss", "\"https://login.microsoftonline.us/" TENANT "/v2.0\"" } },
		  PROBLEM_TOKEN_ISSUER },
		{ "access token",
		  { { "scp", "\"access_as_user\"" }, { "azp", "\"x\"" } },
		  PROBLEM_TOKEN_KIND },
	};

	(void)state;
	open_preset("microsoft");
	EXPECT("microsoft", all);
}

static void microsoft_with_listed_tenants(void **state)
{
	static const struct neighbour all[] = {
		{ "listed", { NONE }, PROBLEM_NONE },
		{ "its administrators' word", { { "xms_edov", NULL } }, PROBLEM_NONE },
		{ "not listed",
		  { { "tid", "\"" OTHER_TENANT "\"" },
		    { "iss", "\"" ENTRA OTHER_TENANT "/v2.0\"" } },
		  PROBLEM_TOKEN_ISSUER },
	};

	(void)state;
	open_changed("microsoft", "audience = \"" ENTRA_ID "\" verified = always\n"
				  "issuer = \"" ENTRA TENANT "/v2.0\"");
	EXPECT("microsoft", all);
}

static void expect_pinned(const char *pin, enum problem_kind ours,
			  enum problem_kind theirs)
{
	static const struct member other[] = { { "tid", "\"" OTHER_TENANT "\"" },
					       { "iss",
						 "\"" ENTRA OTHER_TENANT "/v2.0\"" },
					       NONE };
	const struct profile *p = profile_of("microsoft");

	scratch_write(
		"pinned.json",
		text_of(maker_jwk_set(
			arena,
			maker_jwk(arena, rsa,
				  arena_printf(arena, "\"kid\":\"rsa\",\"issuer\":\"%s\"",
					       pin)
					  .data),
			NULL)));
	open_providers(SITE "provider \"p\" { preset = microsoft audience = \"" ENTRA_ID
			    "\"\n"
			    "jwks_file = \"@/pinned.json\" }\n");
	expect_kind(pin, token_of(p, NULL), ours);
	expect_kind(pin, token_of(p, other), theirs);
	expect_kind(pin,
		    maker_token(arena, rsa, JWS_RS256, AS_TEXT("{\"alg\":\"RS256\"}"),
				claims_of(p, NULL)),
		    ours);
}

/* Some keys of the one set are those of one tenant, or of the personal accounts alone. */
static void key_of_one_issuer_serves_no_other(void **state)
{
	(void)state;
	expect_pinned(ENTRA "{tenantid}/v2.0", PROBLEM_NONE, PROBLEM_NONE);
	expect_pinned(ENTRA TENANT "/v2.0", PROBLEM_NONE, PROBLEM_TOKEN_KEY);
	expect_pinned(ENTRA OTHER_TENANT "/v2.0", PROBLEM_TOKEN_KEY, PROBLEM_NONE);
	expect_pinned("https://sts.windows.net/{tenantid}/", PROBLEM_TOKEN_KEY,
		      PROBLEM_TOKEN_KEY);
	expect_pinned("", PROBLEM_TOKEN_KEY, PROBLEM_TOKEN_KEY);
}

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

/* ---- several at once */

static void open_every_profile(void)
{
	struct buffer b = buffer_new(arena, 8192);

	buffer_add(&b, text_of(SITE));
	for (size_t i = 0; i < COUNT(profiles); i++)
		buffer_add(&b, text_of(block_of(&profiles[i], PINNED)));
	open_providers(arena_copy(arena, buffer_text(&b)).data);
}

/* The same key signs for all: by iss alone each is known, and no other's rules apply. */
static void fifteen_providers_are_told_apart_by_issuer(void **state)
{
	(void)state;
	open_every_profile();
	assert_int_equal(rules.providers->count, COUNT(profiles));
	for (size_t i = 0; i < COUNT(profiles); i++) {
		struct visit v;

		store_free(store);
		store = store_new(config);
		assert_int_equal(visit(token_of(&profiles[i], NULL), &v), PROBLEM_NONE);
		assert_string_equal(v.identity.provider->config->name,
				    profiles[i].preset);
	}
}

/* ISS of another provider on top of everything else of this one. */
static void issuer_brings_its_own_rules(void **state)
{
	(void)state;
	open_every_profile();
	for (size_t i = 0; i < COUNT(profiles); i++)
		for (size_t k = 0; k < COUNT(profiles); k++) {
			const struct member changes[] = { *member_of(&profiles[k], "iss"),
							  { NULL, NULL } };
			struct visit v;

			/* Corbado's tokens say nothing by which they could be told. */
			if (i == k || strcmp(profiles[k].preset, "corbado") == 0)
				continue;
			if (visit(token_of(&profiles[i], changes), &v) == PROBLEM_NONE)
				fail_msg("a token of %s with the issuer of %s",
					 profiles[i].preset, profiles[k].preset);
		}
}

/* Under the same kid, as if by accident. */
static void key_of_one_provider_is_none_of_anothers(void **state)
{
	const struct profile *google_ = profile_of("google"),
			     *apple_ = profile_of("apple");
	struct visit v;

	(void)state;
	open_providers(arena_printf(arena, SITE "%s%s", block_of(google_, PINNED),
				    block_of(apple_, "jwks_file = \"@/stranger.json\""))
			       .data);
	assert_int_equal(visit(token_of(google_, NULL), &v), PROBLEM_NONE);
	assert_int_equal(visit(token_of(apple_, NULL), &v), PROBLEM_TOKEN_SIGNATURE);
	assert_int_equal(
		visit(maker_token(arena, stranger, JWS_RS256, header_of(JWS_RS256, "rsa"),
				  claims_of(apple_, NULL)),
		      &v),
		PROBLEM_NONE);
	assert_int_equal(
		visit(maker_token(arena, stranger, JWS_RS256, header_of(JWS_RS256, "rsa"),
				  claims_of(google_, NULL)),
		      &v),
		PROBLEM_TOKEN_SIGNATURE);
}

/* The same sub at two providers is two people. */
static void subject_is_of_its_provider(void **state)
{
	static const struct member same[] = { { "sub", "\"1\"" }, NONE };
	static const struct member other[] = { { "sub", "\"1\"" },
					       { "email", "\"bob@example.com\"" },
					       NONE };
	struct visit first, second;

	(void)state;
	open_every_profile();
	assert_int_equal(visit(token_of(profile_of("google"), same), &first),
			 PROBLEM_NONE);
	assert_int_equal(visit(token_of(profile_of("auth0"), same), &second),
			 PROBLEM_IDENTITY_CONFLICT);
	assert_int_equal(visit(token_of(profile_of("auth0"), other), &second),
			 PROBLEM_NONE);
	assert_true(second.created);
	assert_string_not_equal(first.user.id, second.user.id);
}

/* An exact issuer goes before a template that it fits as well, whichever comes first. */
static void exact_issuer_goes_before_a_template(void **state)
{
	static const struct member other[] = { { "tid", "\"" OTHER_TENANT "\"" },
					       { "iss",
						 "\"" ENTRA OTHER_TENANT "/v2.0\"" },
					       NONE };
	const struct profile *p = profile_of("microsoft");
	const char *any = block_of(p, PINNED);
	const char *one =
		"provider one { preset = microsoft audience = \"" ENTRA_ID "\"\n"
		"issuer = \"" ENTRA TENANT "/v2.0\" " PINNED " }\n";

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct visit v;

		open_providers(
			arena_printf(arena, SITE "%s%s", i ? any : one, i ? one : any)
				.data);
		visit(token_of(p, NULL), &v);
		assert_string_equal(v.identity.provider->config->name, "one");
		visit(token_of(p, other), &v);
		assert_string_equal(v.identity.provider->config->name, "microsoft");
	}
}

static void one_issuer_is_of_one_provider(void **state)
{
	char error[CONFIG_ERROR_SIZE];
	struct config *c;

	(void)state;
	scratch_write("twice.conf",
		      AS_TEXT("public_url = \"https://www.example.com\"\n"
			      "provider a { preset = microsoft audience = a }\n"
			      "provider b { preset = microsoft audience = b }\n"));
	c = config_load(scratch_path(arena, "twice.conf"), error);
	assert_null(c);
	assert_non_null(strstr(error, "is that of provider \"a\" already"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(cotter),
		TEST(google),
		TEST(apple),
		TEST(microsoft),
		TEST(microsoft_with_listed_tenants),
		TEST(key_of_one_issuer_serves_no_other),
		TEST(firebase),
		TEST(auth0),
		TEST(supabase),
		TEST(stytch),
		TEST(hanko),
		TEST(keycloak),
		TEST(clerk),
		TEST(descope),
		TEST(corbado),
		TEST(linkedin),
		TEST(fifteen_providers_are_told_apart_by_issuer),
		TEST(issuer_brings_its_own_rules),
		TEST(key_of_one_provider_is_none_of_anothers),
		TEST(subject_is_of_its_provider),
		TEST(exact_issuer_goes_before_a_template),
		TEST(one_issuer_is_of_one_provider),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
