// SPDX-License-Identifier: Apache-2.0
// Squirrel.Windows' update manager on a folder with RELEASES:
//   mono squirrel_update.exe SQUIRREL-MONO.EXE FOLDER ROOT APP
// Prints what is offered and whether it was downloaded; 1 when the update was refused. Its classes are internal to
// the executable, so they are reached by their names.
using System;
using System.Collections;
using System.Linq;
using System.Reflection;
using System.Threading.Tasks;

static class SquirrelUpdate
{
    /// Calls a method with its own defaults behind the first arguments, and waits.
    static object Call(object target, string name, params object[] first)
    {
        var method = target.GetType().GetMethods().First(one => one.Name == name);
        var arguments = method.GetParameters().Select((parameter, i) =>
            i < first.Length ? first[i]
            : parameter.ParameterType.IsEnum ? Enum.ToObject(parameter.ParameterType, parameter.DefaultValue)
            : parameter.DefaultValue).ToArray();
        var task = (Task)method.Invoke(target, arguments);
        task.Wait();
        var result = task.GetType().GetProperty("Result");
        return result == null ? null : result.GetValue(task);
    }

    static int Main(string[] arguments)
    {
        try {
            var constructor = Assembly.LoadFrom(arguments[0]).GetType("Squirrel.UpdateManager").GetConstructors()[0];
            var given = new object[] { arguments[1], arguments[3], arguments[2] };
            using (var manager = (IDisposable)constructor.Invoke(
                constructor.GetParameters().Select((_, i) => i < given.Length ? given[i] : null).ToArray())) {
                var update = Call(manager, "CheckForUpdate");
                var releases = update.GetType().GetProperty("ReleasesToApply").GetValue(update);
                foreach (var one in (IEnumerable)releases) {
                    Console.WriteLine("offered " + one.GetType().GetProperty("EntryAsString").GetValue(one));
                }
                Call(manager, "DownloadReleases", releases);
                Console.WriteLine("downloaded");
                return 0;
            }
        } catch (Exception error) {
            while (error.InnerException != null) {
                error = error.InnerException;
            }
            Console.WriteLine("refused: " + error.Message);
            return 1;
        }
    }
}
