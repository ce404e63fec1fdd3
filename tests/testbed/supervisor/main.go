// Command supervisor holds one testbed: a Kubernetes control plane, an OCI registry and an HTTP
// chart repository, each with its own port and folder.
//
// In: the folder of the binaries (flags), and lines on stdin: "stop NAME" and "start NAME".
// Out: JSON lines on stdout: first Ready or an error, then one answer to each line read.
// Never: outlive its stdin. The pipe is held by the process that wanted the testbed, so it closes
// however that process ends; then every child is killed and the folder removed. Should the
// supervisor itself be killed, the kernel kills its children (see death_linux.go) and the next
// supervisor removes the folder (see folder.go).
//
// With "exec COMMAND ARGS..." it becomes that command, which then dies with the process that
// started it.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
)

// Ready says where everything is, once everything answers.
type Ready struct {
	Folder     string `json:"folder"`
	Kubeconfig string `json:"kubeconfig"`
	Server     string `json:"server"`
	Registry   string `json:"registry"`
	ChartsURL  string `json:"charts_url"`
	ChartsPath string `json:"charts_path"`
	AuditLog   string `json:"audit_log,omitempty"`
}

// Answer is one line on stdout.
type Answer struct {
	Ready *Ready `json:"ready,omitempty"`
	Done  string `json:"done,omitempty"`
	Error string `json:"error,omitempty"`
}

func init() {
	// A child's death signal is tied to the thread that started it, not to the process: every
	// child is started by the main goroutine, on the one thread that lives to the end.
	runtime.LockOSThread()
}

func main() {
	if len(os.Args) > 2 && os.Args[1] == "exec" {
		fail(becomeCommand(os.Args[2:]))
	}
	binaries := flag.String("binaries", "", "folder of etcd, kube-apiserver, kube-controller-manager, kube-scheduler")
	kwok := flag.String("kwok", "", "path of kwok")
	registry := flag.String("registry", "", "path of the OCI registry")
	audit := flag.Bool("audit", false, "write the API server's audit log")
	flag.Parse()

	folder, err := makeFolder()
	if err != nil {
		fail(err)
	}
	testbed := &Testbed{
		folder:   folder,
		binaries: *binaries,
		kwok:     *kwok,
		registry: *registry,
		audit:    *audit,
		ended:    make(chan *Component, 16),
	}
	lines := make(chan string)
	go func() {
		scanner := bufio.NewScanner(os.Stdin)
		for scanner.Scan() {
			lines <- scanner.Text()
		}
		// Not through the main loop: it may be waiting for a component to come up.
		testbed.end(0)
	}()
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		<-signals
		testbed.end(1)
	}()

	ready, err := testbed.start()
	if err != nil {
		answer(Answer{Error: err.Error()})
		testbed.end(1)
	}
	answer(Answer{Ready: ready})
	for {
		select {
		case line := <-lines:
			if err := testbed.obey(line); err != nil {
				answer(Answer{Error: err.Error()})
			} else {
				answer(Answer{Done: line})
			}
		case component := <-testbed.ended:
			// It may have been started again since.
			if !component.isRunning() && !component.endExpected() {
				fmt.Fprintln(os.Stderr, "testbed:", component.endedError())
				testbed.end(1)
			}
		}
	}
}

// obey does what one line of stdin says. A test uses it to see what an outage does.
func (testbed *Testbed) obey(line string) error {
	verb, name, _ := strings.Cut(line, " ")
	for _, component := range testbed.components() {
		if component.name != name {
			continue
		}
		switch verb {
		case "stop":
			return component.stop()
		case "start":
			if err := component.start(); err != nil {
				return err
			}
			return component.awaitReady()
		}
		return fmt.Errorf("the testbed does not know how to %q a component: stop or start", verb)
	}
	return fmt.Errorf("the testbed has no component %q", name)
}

func answer(answer Answer) {
	line, err := json.Marshal(answer)
	if err != nil {
		fail(err)
	}
	// The reader may be gone; its stdin is then closed too, and ends us.
	_, _ = os.Stdout.Write(append(line, '\n'))
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "testbed:", err)
	os.Exit(1)
}
