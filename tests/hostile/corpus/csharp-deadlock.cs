// attack: Waits for a task that waits for it.
// limit: wall
// ends: timeout
using System.Threading.Tasks;
public static class Attack
{
    public static async Task<object> Handle()
    {
        var never = new TaskCompletionSource<object>();
        return await never.Task;
    }
}
