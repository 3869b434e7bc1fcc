#include "task_flags.h"

#include <string.h>

cop_status cop_split_flag(const cop_args *args, const char *flag, cop_split *split) {
    const char *word = cop_args_get(args, flag);
    for (cop_split s = COP_SPLIT_TRAIN; word && s <= COP_SPLIT_TEST; s++)
        if (strcmp(word, cop_split_name(s)) == 0) {
            *split = s;
            return COP_OK;
        }
    if (!word) return COP_OK;
    return cop_fail(COP_E_USAGE, "--%s %s: wanted test, evolve or train", flag, word);
}

static cop_status check_task(const cop_list *tasks, size_t t, const cop_list *sections) {
    const char *task = tasks->items[t];
    for (size_t i = 0; i < t; i++)
        if (strcmp(tasks->items[i], task) == 0)
            return cop_fail(COP_E_USAGE, "task %s is named twice", task);
    for (size_t i = 0; i < sections->count; i++)
        if (strcmp(sections->items[i], task) == 0) return COP_OK;
    const char *near = cop_nearest(task, (const char *const *)sections->items, sections->count);
    return cop_fail(COP_E_USAGE,
                    "--task %s: there is no section [task.%s] in the configuration%s%s%s; "
                    "--config FILE names another configuration",
                    task, task, near ? " (did you mean " : "", near ? near : "", near ? "?)" : "");
}

cop_status cop_task_flags(const cop_args *args, const cop_judge *judge, cop_list *tasks) {
    cop_list given = {0}, sections = {0};
    const char *name;
    cop_status status = COP_OK;
    if (args->word_count > 1 && !cop_args_has(args, "task"))
        return cop_fail(COP_E_USAGE, "'%s' after the network: tasks are named by --task",
                        args->words[1]);
    for (size_t k = 0; (name = cop_args_nth(args, "task", k)); k++)
        cop_list_split(tasks, name, ",");
    /* --task a b: what follows the first name is a word like any other */
    for (size_t k = 1; k < args->word_count; k++) cop_list_split(tasks, args->words[k], ",");
    cop_conf_sections(judge->conf, "task.", &given);
    for (size_t i = 0; i < given.count; i++)
        cop_list_add(&sections, given.items[i] + strlen("task."));
    if (tasks->count == 0) cop_judge_tasks(judge, tasks);
    if (tasks->count == 0)
        status =
            cop_fail(COP_E_USAGE, "the configuration has no task: give one with --config FILE");
    for (size_t t = 0; t < tasks->count && status == COP_OK; t++)
        status = check_task(tasks, t, &sections);
    cop_list_clear(&given);
    cop_list_clear(&sections);
    return status;
}
