package api

import "time"

// Tenant is what the host keeps of a tenant. Its ETag is the tenant's revision.
type Tenant struct {
	Name     string            `json:"name" doc:"Name of the tenant"`
	Source   string            `json:"source" enum:"folder,release,none" doc:"Whether it is a folder below root, was deployed, or has nothing to serve yet"`
	Current  string            `json:"current,omitempty" doc:"Digest of the release that serves"`
	Stopped  bool              `json:"stopped" doc:"Whether an operator has stopped it"`
	Releases []Release         `json:"releases" nullable:"false" doc:"Those that are kept, the newest first"`
	Env      map[string]string `json:"env" doc:"Variables that operators have set over the manifest's"`
	Secrets  []string          `json:"secrets" nullable:"false" doc:"Names of the secrets; values are never told"`
	Revision uint64            `json:"revision" doc:"Grows with each change; 0 when nothing is kept"`
}

// Release is an application that was uploaded.
type Release struct {
	Digest   string     `json:"digest" doc:"SHA-256 over the application's files, in hexadecimal"`
	Created  time.Time  `json:"created" doc:"When it was uploaded"`
	Deployed *time.Time `json:"deployed,omitempty" doc:"When it began to serve last; absent for never"`
	Files    int        `json:"files" doc:"Number of its files"`
	Bytes    int64      `json:"bytes" doc:"Bytes of its files"`
	By       string     `json:"by,omitempty" doc:"Who has uploaded it"`
	Current  bool       `json:"current" doc:"Whether it serves"`
}

// Status is how a tenant does at the moment.
type Status struct {
	Name      string     `json:"name" doc:"Name of the tenant"`
	URL       string     `json:"url" doc:"Where it serves first"`
	State     string     `json:"state" enum:"cold,preparing,booting,serving,reloading,failed,stopped" doc:"Where it is in its life"`
	Source    string     `json:"source" enum:"folder,release,none" doc:"Whether it is a folder below root or was deployed"`
	Release   string     `json:"release,omitempty" doc:"Digest of the files that serve"`
	Error     string     `json:"error,omitempty" doc:"Of the last attempt to serve, when that failed"`
	Idle      int        `json:"idle" doc:"Instances that wait for a request"`
	Busy      int        `json:"busy" doc:"Instances that serve one"`
	Creating  int        `json:"creating" doc:"Instances in the making"`
	Waiting   int        `json:"waiting" doc:"Requests that wait for an instance"`
	Requests  uint64     `json:"requests" doc:"Requests since the release began to serve"`
	Created   uint64     `json:"created" doc:"Instances made since then"`
	Memory    uint64     `json:"memory" doc:"Bytes that its instances and snapshots take"`
	Limit     uint64     `json:"memory_limit" doc:"Bytes that they may take"`
	LastCall  *time.Time `json:"last_request,omitempty" doc:"When a request came last; absent for never"`
	Isolation string     `json:"isolation" doc:"reuse or fresh"`
	Network   *Network   `json:"network,omitempty" doc:"What it has done with the network; absent for nothing"`
}

// Network is what a tenant has done with the network since the host began.
type Network struct {
	Open     int    `json:"open" doc:"Connections that are open"`
	Opened   uint64 `json:"opened" doc:"Connections that were opened"`
	Refused  uint64 `json:"refused" doc:"Times that the network policy refused something"`
	Sent     uint64 `json:"sent" doc:"Bytes sent"`
	Received uint64 `json:"received" doc:"Bytes received"`
	Pool     int    `json:"pool" doc:"Connections that network.pool may have; 0 for no pool"`
	PoolIdle int    `json:"pool_idle" doc:"Connections of network.pool that nobody uses"`
	PoolUsed int    `json:"pool_used" doc:"Connections of network.pool in use"`
}

// Event is a step of something that happens to a tenant.
type Event struct {
	Time   time.Time `json:"time" doc:"When it happened"`
	Kind   string    `json:"kind" enum:"hello,listening,progress,ready,failed,stopped" doc:"What it is; hello comes first and says that from now on nothing is missed"`
	Tenant string    `json:"tenant,omitempty" doc:"Name of the tenant"`
	Text   string    `json:"text,omitempty" doc:"The step, the address or the error"`
	Stream string    `json:"stream,omitempty" doc:"With hello: the name by which the client ends the stream"`
}

// LogLine is a record of a tenant's log.
type LogLine struct {
	Time    time.Time         `json:"time" doc:"When it was written"`
	Level   string            `json:"level" doc:"DEBUG, INFO, WARN or ERROR"`
	Message string            `json:"message" doc:"The text"`
	Fields  map[string]string `json:"fields,omitempty" doc:"What else is said: source, request_id and so on"`
}

// RunOutput is a piece of what a program writes, or its end.
type RunOutput struct {
	Stream string `json:"stream,omitempty" enum:"stdout,stderr" doc:"Where data was written to"`
	Data   []byte `json:"data,omitempty" doc:"What was written, in base64"`
	Exit   *int   `json:"exit,omitempty" doc:"Exit status, in the last piece"`
	Error  string `json:"error,omitempty" doc:"Why the program could not be run or was ended, in the last piece"`
}

// Token is a right to use the API.
type Token struct {
	ID       string     `json:"id" doc:"What it is removed by"`
	Note     string     `json:"note,omitempty" doc:"What it is for"`
	Tenant   string     `json:"tenant,omitempty" doc:"The only tenant that it is for; absent for the whole host"`
	ReadOnly bool       `json:"read_only" doc:"Whether it changes nothing"`
	Created  time.Time  `json:"created" doc:"When it was made"`
	Expires  *time.Time `json:"expires,omitempty" doc:"From when on it counts no more; absent for never"`
}

// NewToken is a token that was just made.
type NewToken struct {
	Token
	Secret string `json:"secret" doc:"What a client sends (Authorization: Bearer …); it is told this once"`
}

// Info says what runs.
type Info struct {
	Version string `json:"version" doc:"Of wasgi"`
	Root    string `json:"root" doc:"The folder of the applications"`
	State   string `json:"state" enum:"starting,serving,draining" doc:"Where the host is in its life"`
}
