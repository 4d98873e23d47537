package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/wasgi/wasgi/host/admin/api"
)

func newCron() *cobra.Command {
	c := &cobra.Command{
		Use:   "cron",
		Short: "List and run the jobs of a tenant's manifest",
		Long: `Jobs stand in the manifest, and the server does them when they are due, in UTC:

  [cron]
  "/tasks/clean" = "*/10 * * * *"           # a request
  "manage.py clearsessions" = "0 3 * * *"   # a program

A job that still runs is not begun again, and its output and end are in the
tenant's log.`,
		Args: usage(knownCommand),
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newCronLs(), newCronRun())
	return c
}

func newCronLs() *cobra.Command {
	var r *remote
	c := &cobra.Command{
		Use:     "ls TENANT",
		Aliases: []string{"list"},
		Short:   "List jobs, when they are due and how they went",
		Example: "  wasgi cron ls shop",
		Args:    usage(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			client, err := r.client()
			if err != nil {
				return err
			}
			all, err := client.Jobs(c.Context(), args[0])
			if err != nil {
				return err
			}
			return r.print(c, all, func(w io.Writer) error { return printJobs(w, all) })
		},
	}
	r = remoteFlags(c)
	return c
}

func printJobs(w io.Writer, all []api.Job) error {
	rows := [][]string{{"JOB", "SCHEDULE", "NEXT", "LAST", "RESULT"}}
	for _, j := range all {
		result := ""
		switch {
		case j.Running:
			result = "runs"
		case j.Error != "":
			result = "failed: " + j.Error
		case j.Last != nil:
			result = fmt.Sprintf("done in %d ms", j.Millis)
		}
		rows = append(rows, []string{j.What, j.Schedule, when(j.Next), when(j.Last), result})
	}
	return table(w, rows...)
}

func newCronRun() *cobra.Command {
	var r *remote
	c := &cobra.Command{
		Use:     "run TENANT JOB",
		Short:   "Do a job now and wait for its end",
		Example: "  wasgi cron run shop 'manage.py clearsessions'",
		Args:    usage(cobra.ExactArgs(2)),
		RunE: func(c *cobra.Command, args []string) error {
			client, err := r.client()
			if err != nil {
				return err
			}
			if err := client.RunJob(c.Context(), args[0], args[1]); err != nil || !r.json {
				return err
			}
			return printJSON(c.OutOrStdout(), map[string]string{"tenant": args[0], "done": args[1]})
		},
	}
	r = remoteFlags(c)
	return c
}
