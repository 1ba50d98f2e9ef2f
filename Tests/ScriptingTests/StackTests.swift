import Glibc
import Testing
import TimeBound

@testable import Scripting

/// Calls that go deep in C, on stacks of several sizes.
@Suite("C stack", .timeLimit(.minutes(TimeBound.isSanitized ? 30 : 5)), .bounded)
struct StackTests {
    static let sizes = [512 << 10, 1 << 20, 8 << 20] + (TimeBound.isSanitized ? [] : [256 << 10])

    /// Each calls itself, without end, through another function of C. `pcall` catches what the innermost one raises.
    static let recursions = [
        "('a'):gsub('a', f)", "('a'):gsub('a', setmetatable({}, {__index = f}))", "table.sort({1, 2, 3}, f)",
        "pcall(f)", "xpcall(error, f)", "xpcall(f, f)", "coroutine.wrap(f)()",
        "local ok, e = coroutine.resume(coroutine.create(f)) error(e)", "tostring(setmetatable({}, {__tostring = f}))",
        "('%s'):format(setmetatable({}, {__tostring = f}))", "local x <close> = setmetatable({}, {__close = f})",
        "table.insert(setmetatable({}, {__len = f}), 1)", "table.concat(setmetatable({}, {__len = f}))",
        "table.unpack(setmetatable({}, {__index = f}), 1, 1)", "for _ in f do end",
        "for _ in pairs(setmetatable({}, {__pairs = f})) do end",
        "for _ in ipairs(setmetatable({}, {__index = f})) do end", "return setmetatable({}, {__index = f}).x",
        "return setmetatable({}, {__add = f}) + 1", "return '1' + setmetatable({}, {__add = f})",
        "return setmetatable({}, {__lt = f}) < 1",
        "log.info(setmetatable({}, {__tostring = f}))", "print(setmetatable({}, {__tostring = f}))",
        "json.encode(setmetatable({}, {__index = f, __len = f})) f()",
        "return server[setmetatable({}, {__tostring = f})]", "for n in ('a'):gmatch('a') do f() end", "f()",
        closing("f()"), closing("('a'):gsub('a', f)"), closing("pcall(f)"),
    ]

    /// Closes a coroutine whose variable's __close does `action`.
    private static func closing(_ action: String) -> String {
        """
        local co = coroutine.create(function()
          local x <close> = setmetatable({}, {__close = function() \(action) end})
          coroutine.yield()
        end)
        coroutine.resume(co)
        coroutine.close(co)
        """
    }

    /// 45 coroutines, each of which closes the next from a __close below 185 levels of gsub.
    static let closers = """
        local function close(co)
          local ok, why = coroutine.close(co)
          if not ok then error(why, 0) end
        end
        local last
        for i = 1, 45 do
          local previous = last
          local function deep(n)
            if n > 0 then ('a'):gsub('a', function() deep(n - 1) end) elseif previous then close(previous) end
          end
          local co = coroutine.create(function()
            local x <close> = setmetatable({}, {__close = function() deep(185) end})
            coroutine.yield()
          end)
          coroutine.resume(co)
          last = co
        end
        close(last)
        """

    private func fails(_ body: String, with message: String, stack: Int) throws {
        let outcome = onStack(stack) { () -> (String?, [String]) in
            var options = ScriptOptions(memoryLimit: 512 << 20)
            options.budget = 0
            options.coroutines = 0
            guard let stage = try? Stage(options: options) else { return (nil, []) }
            let error = try? stage.failure(body)
            return (error?.message, (try? stage.run("show(('x'):gsub('x', function() return 'y' end))")) ?? [])
        }
        let said = try #require(outcome.0, "\(body) did not fail")
        #expect(said.contains(message), "\(body): \(said)")
        #expect(outcome.1 == ["y 1"], "after \(body)")
    }

    @Test("a recursion through any function of C is an error, not the end", arguments: recursions, sizes)
    func recursion(body: String, stack: Int) throws {
        // These catch what the innermost call raises, so that only their depth can be seen.
        let catches = body.contains("pcall(") || body.contains("coroutine.close")
        let end = catches ? "assert(calls > 20, 'no recursion') error('stack overflow')" : ""
        try fails(
            "local calls = 0 local function f(...) calls = calls + 1 \(body) end f() \(end)", with: "stack overflow",
            stack: stack)
    }

    @Test("coroutines that close one another below deep calls are an error", arguments: sizes)
    func closers(stack: Int) throws {
        try fails(Self.closers, with: "stack overflow", stack: stack)
    }

    @Test("20,000 coroutines that close one another are an error, not the end", arguments: sizes)
    func chain(stack: Int) throws {
        try fails(
            """
            local function close(co)
              local ok, why = coroutine.close(co)
              if not ok then error(why, 0) end
            end
            local last
            local function link(previous)
              local x = setmetatable({}, {__close = function() if previous then close(previous) end end})
              local co = coroutine.create(function() local y <close> = x coroutine.yield() end)
              coroutine.resume(co)
              return co
            end
            for i = 1, 20000 do last = link(last) end
            close(last)
            """, with: "stack overflow", stack: stack)
    }

    @Test("a caught overflow leaves room for the next one", arguments: sizes)
    func again(stack: Int) throws {
        try fails(
            """
            local function f() ('a'):gsub('a', f) end
            for i = 1, 100 do assert(not pcall(f)) end
            local function g() pcall(g); ('a'):gsub('a', tostring) end
            for i = 1, 100 do g() end
            error('stack overflow')
            """, with: "stack overflow", stack: stack)
    }

    /// Runs `body` on a thread with a stack of so many bytes.
    private func onStack<Answer>(_ size: Int, _ body: @escaping () -> Answer) -> Answer {
        var answer: Answer?
        let run = Unmanaged.passRetained(Run { answer = body() })
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setstacksize(&attributes, size)
        var thread = pthread_t()
        let failure = pthread_create(
            &thread, &attributes,
            { context in
                Unmanaged<Run>.fromOpaque(context!).takeRetainedValue().body()
                return nil
            }, run.toOpaque())
        precondition(failure == 0)
        pthread_join(thread, nil)
        pthread_attr_destroy(&attributes)
        return answer!
    }

    private final class Run {
        let body: () -> Void
        init(_ body: @escaping () -> Void) { self.body = body }
    }
}
