/* SPDX-License-Identifier: MIT */
/* Runs command lines of docket for the API suite, each in a process of its own. A fork takes a
 * tenth of the time that a start takes. A line of standard input is a JSON array of the arguments.
 * For each one a line of standard output has the exit status and what the command said:
 * {"status": 2, "stdout": "", "stderr": "docket: ..."}. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jansson.h>

/* The main() of src/main.c. */
int docket_main(int argc, char **argv);

#define ARGUMENTS_MOST 64

static void fail(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

/* In the child: runs the command with its output in the two files. */
static _Noreturn void line_run(const json_t *arguments, FILE *const said[2])
{
	char program[] = "docket";
	char *argv[ARGUMENTS_MOST + 2] = {program};
	size_t count = json_array_size(arguments);
	int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (count > ARGUMENTS_MOST)
		abort();
	for (size_t i = 0; i < count; i++)
		argv[i + 1] = strdup(json_string_value(json_array_get(arguments, i)));
	if (nothing < 0 || dup2(nothing, STDIN_FILENO) < 0)
		fail("/dev/null");
	for (int i = 0; i < 2; i++)
		if (dup2(fileno(said[i]), STDOUT_FILENO + i) < 0)
			fail("dup2");
	exit(docket_main((int)count + 1, argv));
}

/* What the child has written, as a JSON text. Closes the file. */
static json_t *text_read(FILE *said)
{
	char text[65536];
	size_t length;

	rewind(said);
	length = fread(text, 1, sizeof text, said);
	fclose(said);
	return json_stringn(text, length);
}

static json_t *line_answer(const json_t *arguments)
{
	FILE *const said[2] = {tmpfile(), tmpfile()};
	int status = 0;
	pid_t child;

	if (!said[0] || !said[1])
		fail("tmpfile");
	child = fork();
	if (child == 0)
		line_run(arguments, said);
	if (child < 0 || waitpid(child, &status, 0) < 0)
		fail("fork");
	status = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
	return json_pack("{si so so}", "status", status, "stdout", text_read(said[0]), "stderr",
			 text_read(said[1]));
}

int main(void)
{
	char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, stdin) > 0) {
		json_t *arguments = json_loads(line, 0, NULL);
		json_t *answer = arguments ? line_answer(arguments) : NULL;

		if (!answer || json_dumpf(answer, stdout, 0) || puts("") < 0 || fflush(stdout))
			fail("an answer");
		json_decref(arguments);
		json_decref(answer);
	}
	free(line);
	return 0;
}
