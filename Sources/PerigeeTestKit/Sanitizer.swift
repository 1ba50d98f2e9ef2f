// Whether this build watches its own memory accesses: what such a build takes of memory and time says nothing.

import Glibc

/// The sanitizer that a test runs under.
public enum Sanitizer {
    /// Whether AddressSanitizer or ThreadSanitizer is part of this process.
    public static let isActive: Bool = {
        let process = dlopen(nil, RTLD_NOW)
        return ["__asan_init", "__tsan_init"].contains { (name: String) in dlsym(process, name) != nil }
    }()
}
