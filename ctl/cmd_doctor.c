#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "arguments.h"
#include "buffer.h"
#include "doctor.h"
#include "json.h"
#include "rows.h"

static const struct {
	const char *name;
	void (*run)(struct doctor *d);
} checks[] = {
	{ "configuration", doctor_config }, { "advice", doctor_advice },
	{ "files", doctor_files },	    { "keys", doctor_keys },
	{ "database", doctor_database },    { "schema", doctor_schema },
	{ "provider", doctor_provider },    { "socket", doctor_socket },
	{ "web server", doctor_url },
};

#define CHECKS (sizeof(checks) / sizeof(*checks))

static const char *const grades[] = {
	[DOCTOR_TODO] = "todo",
	[DOCTOR_RISK] = "risk",
	[DOCTOR_WRONG] = "wrong",
	[DOCTOR_AWAY] = "away",
};

void doctor_note(struct doctor *d, enum doctor_grade grade, const char *code,
		 const char *cure, const char *format, ...)
{
	struct doctor_finding *finding = arena_alloc(d->arena, sizeof(*finding));
	char what[512];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	*finding = (struct doctor_finding){
		.check = d->check,
		.grade = grade,
		.code = code,
		.what = arena_copy(d->arena, text_of(what)).data,
		.cure = cure,
	};
	*d->last = finding;
	d->last = &finding->next;
	d->count++;
	d->faults += grade != DOCTOR_TODO;
	d->away += grade == DOCTOR_AWAY;
}

/* ---- for people */

static void print_finding(const struct doctor *d, const struct doctor_finding *f)
{
	static const char *const colours[] = { [DOCTOR_TODO] = "36",
					       [DOCTOR_RISK] = "33",
					       [DOCTOR_WRONG] = "31",
					       [DOCTOR_AWAY] = "35" };

	printf("  %s %s\n", rows_colour(d->arena, colours[f->grade], grades[f->grade]),
	       rows_printable(d->arena, f->what));
	printf("        %s %s\n", rows_colour(d->arena, "1", "cure:"),
	       rows_printable(d->arena, f->cure));
}

static void print_check(const struct doctor *d, const struct doctor_finding *from)
{
	printf("%-14s %s\n", d->check, from ? "" : rows_colour(d->arena, "32", "good"));
	for (; from; from = from->next)
		print_finding(d, from);
	fflush(stdout);
}

/* ---- for programs */

static void print_json(const struct doctor *d)
{
	struct buffer b = buffer_new(d->arena, 4096);

	json_begin(&b, NULL, '{');
	json_add_boolean(&b, "good", !d->faults);
	json_begin(&b, "findings", '[');
	for (const struct doctor_finding *f = d->first; f; f = f->next) {
		json_begin(&b, NULL, '{');
		json_add_string(&b, "check", text_of(f->check));
		json_add_string(&b, "grade", text_of(grades[f->grade]));
		json_add_string(&b, "code", text_of(f->code));
		json_add_string(&b, "what", text_of(f->what));
		json_add_string(&b, "cure", text_of(f->cure));
		json_end(&b, '}');
	}
	json_end(&b, ']');
	json_end(&b, '}');
	printf("%.*s\n", TEXT_ARG(buffer_text(&b)));
}

/* Nothing to be asked for where there is nothing to be asked. */
static bool is_wanted(const struct doctor *d, size_t i)
{
	return checks[i].run != doctor_url || d->url;
}

static int exit_status(const struct doctor *d)
{
	if (!d->config)
		return STATUS_CONFIG;
	if (!d->faults)
		return STATUS_DONE;
	return d->away == d->faults ? STATUS_TRY_AGAIN : STATUS_NO;
}

int cmd_doctor(struct command_context *context, int argc, char **argv)
{
	static const struct arguments_shape shape = { ARGUMENTS_DOCTOR, 0, 0 };
	struct arguments arguments;
	struct doctor d = { .context = context, .arena = context->arena };

	if (!arguments_parse(context, argc, argv, &shape, &arguments))
		return STATUS_USAGE;
	d.url = arguments.url;
	d.socket = arguments.socket;
	d.last = &d.first;
	for (size_t i = 0; i < CHECKS && !d.hopeless; i++) {
		struct doctor_finding **before = d.last;

		d.check = checks[i].name;
		if (!is_wanted(&d, i))
			continue;
		checks[i].run(&d);
		if (!context->json)
			print_check(&d, *before);
	}
	if (context->json)
		print_json(&d);
	else if (!d.url && d.config && !d.faults)
		puts("\nNot asked: the web server. pintlectl doctor --url with "
		     "public_url asks.");
	return exit_status(&d);
}
