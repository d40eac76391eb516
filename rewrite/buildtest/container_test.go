//go:build build

package buildtest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// patience is how long a program may take to answer, on a busy machine.
const patience = 60 * time.Second

// inOwnNetwork runs f in a network namespace that has nothing but loopback:
// ports are free, nothing can be downloaded, and ports below 1024 are for root
// as they are in Kubernetes. It returns f's error.
//
// The namespace belongs to a thread, so f must open connections on its own
// goroutine; programs that it starts are in the namespace too.
func inOwnNetwork(f func() error) error {
	done := make(chan error, 1)
	go func() {
		// Never unlocked: the thread ends with the goroutine.
		runtime.LockOSThread()
		if err := syscall.Unshare(syscall.CLONE_NEWNET); err != nil {
			done <- fmt.Errorf("making a network namespace: %w", err)
			return
		}
		if err := loopbackUp(); err != nil {
			done <- fmt.Errorf("starting the loopback device: %w", err)
			return
		}
		done <- f()
	}()
	return <-done
}

func loopbackUp() error {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer syscall.Close(fd)
	// struct ifreq: the name, then the flags.
	var req [40]byte
	copy(req[:], "lo")
	*(*uint16)(unsafe.Pointer(&req[syscall.IFNAMSIZ])) = syscall.IFF_UP | syscall.IFF_RUNNING
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), syscall.SIOCSIFFLAGS, uintptr(unsafe.Pointer(&req))); errno != 0 {
		return errno
	}
	return nil
}

// answers is what a container said.
type answers struct {
	uids   []int    // of its processes, while it served
	bodies []string // per path, with the status when it is not 200
	output string   // what it printed, for programs that end
}

// start runs the image as its config says: its user, environment and
// directory come from buildah, the command is entrypoint and cmd. With a port
// it is asked for the paths and stopped, without one it has to end by itself.
func (b *buildah) start(image string, port int, paths []string) (a answers, err error) {
	config, err := b.inspect(image)
	if err != nil {
		return a, err
	}
	container, err := b.output("from", "--pull-never", image)
	if err != nil {
		return a, err
	}
	defer func() {
		_, rmErr := b.output("rm", container)
		err = errors.Join(err, rmErr)
	}()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	command := append([]string{"run", container, "--"}, config.effective()...)
	if port == 0 {
		a.output, err = b.output(command...)
		return a, err
	}
	cmd := b.command(command...)
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		return a, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	stopped := false
	defer func() {
		err = errors.Join(err, kill(cmd))
		if !stopped {
			<-ended
		}
		if err != nil {
			err = fmt.Errorf("%w\n%s", err, log.String())
		}
	}()
	for _, path := range paths {
		body, err := ask(ctx, port, path, ended)
		if errors.Is(err, errEnded) {
			stopped = true
		}
		if err != nil {
			return a, fmt.Errorf("asking %q on port %d for %s: %w", config.effective(), port, path, err)
		}
		a.bodies = append(a.bodies, body)
	}
	if check := config.healthCheck(); check != nil {
		if _, err := b.output(append([]string{"run", container, "--"}, check...)...); err != nil {
			return a, fmt.Errorf("the health check: %w", err)
		}
	}
	processes, err := inside()
	for _, p := range processes {
		a.uids = append(a.uids, p.uid)
	}
	return a, err
}

var errEnded = errors.New("the container ended")

// ask sends a request on this goroutine, again while nobody listens.
func ask(ctx context.Context, port int, path string, ended <-chan error) (string, error) {
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		conn, err := net.Dial("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			return talk(conn, path)
		}
		select {
		case end := <-ended:
			return "", fmt.Errorf("%w: %v", errEnded, end)
		case <-ctx.Done():
			return "", err
		case <-again.C:
		}
	}
}

func talk(conn net.Conn, path string) (string, error) {
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return "", err
	}
	if script, ok := strings.CutPrefix(path, "fcgi:"); ok {
		return askFPM(conn, script)
	}
	req, err := http.NewRequest(http.MethodGet, "http://localhost"+path, nil)
	if err != nil {
		return "", err
	}
	req.Close = true
	if err := req.Write(conn); err != nil {
		return "", err
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	text := strings.TrimSpace(string(body))
	if res.StatusCode != http.StatusOK {
		text = res.Status + " " + text
	}
	return text, err
}

// process is one that runs in the container.
type process struct{ pid, uid int }

// inside lists the processes of this thread's network namespace but for
// buildah's own: those of the container.
func inside() ([]process, error) {
	own, err := os.Readlink("/proc/thread-self/ns/net")
	if err != nil {
		return nil, err
	}
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	var list []process
	for _, dir := range dirs {
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil || pid == os.Getpid() {
			continue
		}
		// A process may end between two looks at it.
		ns, err := os.Readlink(dir + "/ns/net")
		if err != nil || ns != own {
			continue
		}
		exe, err := os.Readlink(dir + "/exe")
		if err != nil || strings.HasPrefix(filepath.Base(exe), "buildah") || strings.HasPrefix(exe, "/memfd:buildah") {
			continue
		}
		info, err := os.Stat(dir)
		if err != nil {
			continue
		}
		list = append(list, process{pid, int(info.Sys().(*syscall.Stat_t).Uid)})
	}
	return list, nil
}

// kill ends the container's processes, whereupon buildah ends.
func kill(cmd *exec.Cmd) error {
	processes, err := inside()
	for _, p := range processes {
		if e := syscall.Kill(p.pid, syscall.SIGKILL); !errors.Is(e, syscall.ESRCH) {
			err = errors.Join(err, e)
		}
	}
	if len(processes) == 0 && cmd.Process != nil {
		_ = cmd.Process.Kill() // it may have ended
	}
	return err
}
