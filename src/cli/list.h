/* Every command: its file is cmd_<name>.c with `const cop_command cop_cmd_<name>`; the second word
 * is the heading under which help shows it. Rows of one heading stand together. */
COP_COMMAND(run, "Search")
COP_COMMAND(resume, "Search")
COP_COMMAND(check, "Before a search")
COP_COMMAND(explain, "Before a search")
COP_COMMAND(list, "Before a search")
COP_COMMAND(data, "Before a search")
COP_COMMAND(inspect, "After a search")
COP_COMMAND(evaluate, "After a search")
COP_COMMAND(verify, "After a search")
COP_COMMAND(bench, "Tools")
COP_COMMAND(help, "About coppice")
