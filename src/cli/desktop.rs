//! Quiet on machines without a desktop.

/// Starts the command again in the same process, with Mesa's device selection switched off, where no desktop session is
/// there. That Vulkan layer asks the desktop for its preferred GPU whenever a program could open a window, and libwayland
/// then writes an error to stderr. The layer reads its switch from the environment, which only a new program can be given
/// without unsafe code. Which GPU is taken does not change: without a desktop there is none that it prefers.
#[cfg(target_os = "linux")]
pub fn without_device_selection() {
    use std::ffi::OsStr;
    use std::os::unix::process::CommandExt;
    const SWITCH: &str = "NODEVICE_SELECT";
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| value != OsStr::new(""));
    if set("XDG_RUNTIME_DIR") || set(SWITCH) {
        return;
    }
    let Ok(program) = std::env::current_exe() else { return };
    let mut arguments = std::env::args_os();
    let name = arguments.next().unwrap_or_else(|| program.clone().into());
    // Returns only where it fails; the command then runs as it is, message and all.
    let _ = std::process::Command::new(program).arg0(name).args(arguments).env(SWITCH, "1").exec();
}

/// Other systems have no such layer.
#[cfg(not(target_os = "linux"))]
pub fn without_device_selection() {}
