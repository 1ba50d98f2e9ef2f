// perigee-history: writes durable history until it is killed, and measures it.
//
//     perigee-history write FILE SYNC CHANNELS WINDOW   keeps WINDOW publications waiting, in turn to CHANNELS channels, and writes a
//                                                       line for each that is stored: CHANNEL OFFSET EPOCH NUMBER
//     perigee-history measure FOLDER SECONDS            prints publications a second, CPU and bytes of each, for each sync mode
//     perigee-history limit FILE BYTES                  as `write`, and no file of the process may grow over BYTES

import CLinux
import Glibc
import History

let arguments = CommandLine.arguments.dropFirst()
switch (arguments.first, arguments.count) {
case ("write", 5):
    let words = Array(arguments)
    guard let sync = HistorySync(rawValue: words[2]), let channels = Int(words[3]), let window = Int(words[4]) else {
        usage()
    }
    LoadWriter(file: words[1], sync: sync, channels: channels, window: window).run()
case ("limit", 3):
    let words = Array(arguments)
    guard let bytes = UInt64(words[2]) else { usage() }
    signal(SIGXFSZ, SIG_IGN)
    var limit = rlimit(rlim_cur: rlim_t(bytes), rlim_max: rlim_t(bytes))
    setrlimit(__rlimit_resource_t(1), &limit)
    LoadWriter(file: words[1], sync: .full, channels: 1, window: 1).run()
case ("measure", 3):
    let words = Array(arguments)
    guard let seconds = Int(words[2]) else { usage() }
    for sync in HistorySync.allCases {
        for window in [1, 16, 1_000] {
            Measurement(folder: words[1], sync: sync, window: window, seconds: seconds).run()
        }
    }
default: usage()
}

func usage() -> Never {
    print("perigee-history write FILE SYNC CHANNELS WINDOW | limit FILE BYTES | measure FOLDER SECONDS")
    exit(2)
}
