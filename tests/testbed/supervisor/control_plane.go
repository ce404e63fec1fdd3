package main

// What each component is told and how it is known to be ready. Every choice that differs from a
// cluster in production says why; all others are left at their defaults, as real clusters have
// them.

import (
	"embed"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

//go:embed manifests
var manifests embed.FS

func (testbed *Testbed) path(name string) string { return filepath.Join(testbed.folder, name) }

func (testbed *Testbed) auditLog() string { return testbed.path("audit.log") }

func (testbed *Testbed) kubeconfig(user string) string {
	return testbed.path(strings.ReplaceAll(user, ":", "-") + ".kubeconfig")
}

// writeManifests writes the files that components are told to read.
func (testbed *Testbed) writeManifests() error {
	entries, err := manifests.ReadDir("manifests")
	if err != nil {
		return fmt.Errorf("list the built-in manifests: %w", err)
	}
	for _, entry := range entries {
		content, err := manifests.ReadFile("manifests/" + entry.Name())
		if err != nil {
			return fmt.Errorf("read the built-in manifest %s: %w", entry.Name(), err)
		}
		// The only thing that a manifest has to learn is where its folder is.
		text := strings.ReplaceAll(string(content), "@FOLDER@", testbed.folder)
		if err := os.WriteFile(testbed.path(entry.Name()), []byte(text), 0o600); err != nil {
			return fmt.Errorf("write the manifest %s: %w", entry.Name(), err)
		}
	}
	return nil
}

// etcd listens on a socket in its folder: one port less to be lost to another process.
func (testbed *Testbed) etcd() *Component {
	socket := testbed.path("etcd.sock")
	return &Component{
		name:   "etcd",
		binary: filepath.Join(testbed.binaries, "etcd"),
		arguments: func(int) []string {
			return []string{
				"--data-dir=" + testbed.path("etcd"),
				"--listen-client-urls=unix://" + socket,
				"--advertise-client-urls=http://127.0.0.1:2379", // told to members that look for others
				"--listen-peer-urls=unix://" + testbed.path("etcd-peer.sock"),
				"--initial-advertise-peer-urls=http://127.0.0.1:2380", // never called: there is no peer
				"--initial-cluster=default=http://127.0.0.1:2380",
				"--unsafe-no-fsync", // the data dies with the testbed
				"--log-level=warn",
			}
		},
		ready: func(int) error {
			connection, err := net.Dial("unix", socket)
			if err != nil {
				return err
			}
			return connection.Close()
		},
	}
}

func (testbed *Testbed) apiServer(secrets *Secrets) *Component {
	return &Component{
		name:   "kube-apiserver",
		binary: filepath.Join(testbed.binaries, "kube-apiserver"),
		serves: true,
		arguments: func(port int) []string {
			arguments := []string{
				"--etcd-servers=unix://" + testbed.path("etcd.sock"),
				"--bind-address=127.0.0.1",
				"--advertise-address=127.0.0.1",
				fmt.Sprintf("--secure-port=%d", port),
				"--endpoint-reconciler-type=none", // a loopback address may not stand in Endpoints
				"--tls-cert-file=" + secrets.certificate,
				"--tls-private-key-file=" + secrets.key,
				"--cert-dir=" + testbed.folder,
				"--token-auth-file=" + secrets.tokens,
				"--authorization-mode=RBAC",
				"--service-cluster-ip-range=" + serviceNetwork,
				"--service-account-issuer=https://kubernetes.default.svc",
				"--service-account-key-file=" + secrets.serviceAccountKey,
				"--service-account-signing-key-file=" + secrets.serviceAccountKey,
				// A pod made right after its namespace would be refused until the namespace has
				// its default account: a race that says nothing about a release.
				"--disable-admission-plugins=ServiceAccount",
				"--allow-privileged=true", // charts of node agents ask for it
				"--kubelet-preferred-address-types=InternalIP",
			}
			if testbed.audit {
				arguments = append(arguments,
					"--audit-policy-file="+testbed.path("audit-policy.yaml"),
					"--audit-log-path="+testbed.auditLog())
			}
			return arguments
		},
		ready: func(port int) error {
			return newAPI(fmt.Sprintf("https://127.0.0.1:%d", port), secrets).get("/readyz", nil)
		},
	}
}

func (testbed *Testbed) controllerManager(secrets *Secrets, api *API) *Component {
	return &Component{
		name:   "kube-controller-manager",
		binary: filepath.Join(testbed.binaries, "kube-controller-manager"),
		arguments: func(int) []string {
			return []string{
				"--kubeconfig=" + testbed.kubeconfig("system:kube-controller-manager"),
				"--secure-port=0", // nobody asks it for metrics
				"--leader-elect=false",
				// There is no cloud, and kwok gives pods their addresses.
				"--controllers=*,-cloud-node-lifecycle-controller,-service-lb-controller,-node-route-controller,-node-ipam-controller",
				"--root-ca-file=" + secrets.authority,
				"--service-account-private-key-file=" + secrets.serviceAccountKey,
				// Its default of 20 a second makes a test of many releases wait for the brake.
				"--kube-api-qps=500",
				"--kube-api-burst=1000",
			}
		},
		ready: func(int) error {
			return api.get("/api/v1/namespaces/default/serviceaccounts/default", nil)
		},
	}
}

func (testbed *Testbed) scheduler(api *API) *Component {
	return &Component{
		name:   "kube-scheduler",
		binary: filepath.Join(testbed.binaries, "kube-scheduler"),
		arguments: func(int) []string {
			return []string{
				"--kubeconfig=" + testbed.kubeconfig("system:kube-scheduler"),
				"--secure-port=0",
				"--leader-elect=false",
				"--kube-api-qps=500",
				"--kube-api-burst=1000",
			}
		},
		// It schedules as soon as it runs; there is nothing to ask it without a port.
		ready: func(int) error { return api.get("/readyz", nil) },
	}
}

// fakeNodes is kwok. It plays kubelet for the two nodes, and answers for logs as one would.
func (testbed *Testbed) fakeNodes(secrets *Secrets, api *API) *Component {
	return &Component{
		name:   "kwok",
		binary: testbed.kwok,
		serves: true,
		arguments: func(port int) []string {
			return []string{
				"--kubeconfig=" + testbed.kubeconfig("kwok"),
				"--config=" + testbed.path("nodes.yaml"),
				"--config=" + testbed.path("pods.yaml"),
				"--config=" + testbed.path("volumes.yaml"),
				"--manage-all-nodes=true",
				"--node-lease-duration-seconds=40",
				"--cidr=" + podNetwork,
				"--node-ip=127.0.0.1",
				fmt.Sprintf("--node-port=%d", port),
				fmt.Sprintf("--server-address=127.0.0.1:%d", port),
				"--tls-cert-file=" + secrets.certificate,
				"--tls-private-key-file=" + secrets.key,
			}
		},
		ready: func(int) error { return api.nodesReady() },
	}
}

func (testbed *Testbed) ociRegistry() *Component {
	configuration := testbed.path("registry-with-port.yaml")
	return &Component{
		name:   "registry",
		binary: testbed.registry,
		serves: true,
		prepare: func(port int) error {
			content, err := os.ReadFile(testbed.path("registry.yaml"))
			if err != nil {
				return err
			}
			text := strings.ReplaceAll(string(content), "@PORT@", fmt.Sprint(port))
			return os.WriteFile(configuration, []byte(text), 0o600)
		},
		arguments: func(int) []string { return []string{"serve", configuration} },
		ready: func(port int) error {
			client := http.Client{Timeout: 5 * time.Second}
			response, err := client.Get(fmt.Sprintf("http://127.0.0.1:%d/v2/", port))
			if err != nil {
				return err
			}
			defer response.Body.Close()
			if response.StatusCode != http.StatusOK {
				return fmt.Errorf("the registry answers %s", response.Status)
			}
			return nil
		},
	}
}
